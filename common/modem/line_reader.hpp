// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace longline::modem {

/// Bytes from a modem in command state, as lines. CR and LF both end a line; empty lines are skipped; a line longer
/// than 512 bytes is cut there (a babbling modem costs no memory); NULs are dropped.
class LineReader {
 public:
  /// The next whole line in `bytes`, which is shortened by what was read; nullopt when it ends before the line does.
  std::optional<std::string> next(std::string_view& bytes);
  /// The last line ended in LF: the CR before it is read, and nothing more belongs to its end.
  bool ended_in_lf() const { return ended_in_lf_; }
  /// What has arrived of a line that has not ended.
  const std::string& partial() const { return line_; }
  void clear() { line_.clear(); }

 private:
  std::string line_;
  bool ended_in_lf_ = false;
};

/// What the modem hands on behind a CONNECT line that ended in CR: an LF may come yet, within this time; every other byte is the far end's.
inline constexpr Duration kLineEnd{50};
inline std::string_view behind_line_feed(std::string_view bytes) { return bytes.substr(bytes.starts_with('\n') ? 1 : 0); }

}  // namespace longline::modem
