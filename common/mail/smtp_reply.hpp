// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline::mail {

/// The peer closes the connection with this reply, to whatever command (RFC 5321, 3.8).
constexpr int kServiceClosing = 421;

/// One reply, complete (RFC 5321, 4.2). Texts are as received: escape() them before they are shown.
struct SmtpReply {
  int code = 0;                    ///< 200…599
  std::string enhanced;            ///< "5.1.1" (RFC 2034) of the last line that has one, or ""
  std::vector<std::string> lines;  ///< without code, separator and enhanced status

  bool ok() const { return code >= 200 && code < 300; }
  bool temporary() const { return code >= 400 && code < 500; }
  bool permanent() const { return code >= 500; }
  /// All lines, joined by " / ", escaped, at most 400 bytes.
  std::string text() const;
};

/// The code at the start of a reply line, 0 if there is none.
int reply_code(std::string_view line);
/// "5.1.1" at the start of a reply text, of the same class as the code (RFC 2034, 4), or "".
std::string_view enhanced_status(std::string_view text, int code);

/// Splits what a server sends into replies. Bounded: a line longer than 4096 bytes, a reply of more than 256 lines, a
/// line that is no reply, or lines of one reply with different codes are Errc::protocol, and then the parser stays
/// failed. LF alone ends a line too.
class SmtpReplyParser {
 public:
  /// Before the first reply skip up to so many bytes of lines that are not a greeting (220, 421 or 554): the rest of a
  /// login dialogue on a stream link. Behind the rest of a prompt a greeting is one that names a host or SMTP.
  explicit SmtpReplyParser(std::size_t skip_before_greeting = 0) : skip_(skip_before_greeting) {}

  void feed(std::string_view bytes);
  /// The next complete reply; nullopt: more bytes are needed. After an error the same error again.
  Result<std::optional<SmtpReply>> next();
  bool in_reply() const { return !line_.empty() || !reply_.lines.empty(); }
  /// Anything arrived that next() has not given.
  bool has_more() const { return in_reply() || next_ < complete_.size() || error_.has_value(); }

 private:
  void end_line();
  bool greeting_found();
  void fail(std::string what);

  std::vector<SmtpReply> complete_;
  std::size_t next_ = 0;
  SmtpReply reply_;
  std::string line_;
  std::size_t skip_ = 0;
  std::size_t reply_size_ = 0;
  std::optional<Error> error_;
};

}  // namespace longline::mail
