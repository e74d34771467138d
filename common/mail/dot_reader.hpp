// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace longline::mail {

/// Reads the text behind DATA: takes the dots of transparency away (RFC 5321, 4.5.2) and finds the end, which is
/// CRLF "." CRLF and nothing else. Every other byte goes to the content as it is.
class DotReader {
 public:
  /// Appends to `content` and returns how many bytes were taken: all, or fewer when the end was among them. What makes
  /// `content` longer than `limit` is dropped, and too_large() says so.
  std::size_t feed(std::string_view bytes, std::string& content, std::size_t limit);
  bool ended() const { return ended_; }
  bool bare_lf() const { return bare_lf_; }
  bool bare_cr() const { return bare_cr_; }
  bool too_large() const { return too_large_; }

 private:
  enum class At { line_start, dot, dot_cr, text, text_cr };

  void append(std::string_view bytes, std::string& content, std::size_t limit);

  At at_ = At::line_start;
  bool ended_ = false;
  bool bare_lf_ = false;
  bool bare_cr_ = false;
  bool too_large_ = false;
};

}  // namespace longline::mail
