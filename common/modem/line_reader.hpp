// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace longline::modem {

/// Bytes from a modem in command state, as lines. CR and LF both end a line; empty lines are skipped; a line longer
/// than 512 bytes is cut there (a babbling modem costs no memory); NULs are dropped.
class LineReader {
 public:
  /// The next whole line in `bytes`, which is shortened by what was read; nullopt when it ends before the line does.
  std::optional<std::string> next(std::string_view& bytes);
  /// What has arrived of a line that has not ended.
  const std::string& partial() const { return line_; }
  void clear() { line_.clear(); }

 private:
  std::string line_;
};

}  // namespace longline::modem
