// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "mail/address.hpp"

namespace longline::mail {

/// The stored form of a message is its wire form before dot-stuffing: every line ends in CRLF, the last one too; every
/// other byte is as it was submitted (NUL, 8-bit, lines of any length), but a CR that ends no line is a blank. What arrives is
/// therefore what was submitted but for line ends, those, and added fields.

/// What the fields that a submission lacks are made of. Pure: the caller gives time and randomness.
struct SubmissionDefaults {
  std::string sender;            ///< "alice@site7.example.com" for From; "" (null sender) gives MAILER-DAEMON@host
  std::string full_name;         ///< display name for From, or ""
  std::string host;              ///< our own mail name: Message-ID's right half, and the domain of unqualified addresses
  WallTime now{};
  std::string unique;            ///< random, letters and digits: Message-ID's left half
  bool recipients_from_header = false;  ///< sendmail -t: collect To, Cc, Bcc (or Resent-*) and remove Bcc
  bool dot_ends = false;         ///< sendmail without -i: a line with only a dot ends the message
};

/// A message in stored form.
struct StoredMessage {
  std::string content;
  std::vector<Address> recipients;  ///< from the header, without repetition; only with recipients_from_header
  std::string message_id;           ///< as in the field, with its angle brackets
  std::string subject;              ///< unfolded, undecoded
  bool eight_bit = false;           ///< any byte above 127
  std::size_t longest_line = 0;     ///< without its CRLF; above 998 a DATA peer may cut it (RFC 5321, 4.5.3.1.6)
};

/// Turns the bytes of a submission, in chunks of any size, into a StoredMessage: one pass, one copy of the body in memory.
/// LF and CRLF end a line. A leading mbox "From " line is dropped. Lines before the first empty one that are not
/// header fields start the body (an empty line is put before them). Missing Date, Message-ID and From are added.
class MessageBuilder {
 public:
  explicit MessageBuilder(SubmissionDefaults defaults);
  /// How many bytes will come, if that is known: saves copying while the message grows.
  void expect(std::size_t bytes);
  void feed(std::string_view bytes);
  /// True after the lone dot of `dot_ends`: what follows is not part of the message.
  bool ended() const { return ended_; }
  /// Once, at the end of the input. Errc::malformed: a header recipient is not an address (recipients_from_header).
  Result<StoredMessage> finish();

 private:
  void feed_lines(std::string_view& bytes);
  void feed_body(std::string_view bytes);
  void end_held_line();
  bool take_header_line(std::string_view line);
  void end_header();
  void add_missing_fields();
  void collect_recipients();
  bool has_field(std::string_view name) const;
  void end_body_line();

  SubmissionDefaults defaults_;
  StoredMessage message_;
  std::string held_;                 ///< the line so far, while it may be a header field or a lone dot
  std::vector<std::string> fields_;  ///< header fields as submitted, folded, with CRLF
  std::optional<Error> error_;
  std::size_t line_length_ = 0;      ///< of the body line so far, with its CR
  bool has_cr_ = false;              ///< as submitted
  bool in_header_ = true;
  bool first_line_ = true;
  bool ended_ = false;
};

/// A submission that is there as a whole, made complete as MessageBuilder does it.
Result<StoredMessage> complete_message(std::string_view submitted, SubmissionDefaults defaults);

/// The header block with the CRLF of its last field, without the empty line; the whole content if there is no body.
std::string_view header_of(std::string_view content);
/// The body behind the empty line.
std::string_view body_of(std::string_view content);
/// The first field of this name, unfolded and trimmed; nullopt without one. Looks only at the header.
std::optional<std::string> header_field(std::string_view content, std::string_view name);
/// A field's body without its line breaks and outer blanks.
std::string unfold(std::string_view field_body);
/// CR and LF that are not CRLF. Some receivers end a line there, and find a lone dot where there is none (RFC 5321, 2.3.8 and 4.5.2).
struct StrayLineEnds {
  bool cr = false;
  bool lf = false;
};
StrayLineEnds stray_line_ends(std::string_view content);
/// As programs draw progress bars with them: each becomes a blank.
void blank_stray_crs(std::string& content);
/// Those, and each LF alone becomes CRLF: content of another system in the stored form.
void mend_line_ends(std::string& content);
/// The header block `header` for final delivery (RFC 5321, 4.4): Return-Path with the envelope's sender on top, and no other.
std::string with_return_path(std::string_view header, std::string_view sender);
/// How many fields of this name: Received, for loops.
std::size_t count_header_fields(std::string_view content, std::string_view name);

}  // namespace longline::mail
