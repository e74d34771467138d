// SPDX-License-Identifier: MIT
// Collects what the DTE types in command state into command lines, the way a modem does: it looks for "AT" or "A/" in whatever
// comes, takes what follows up to the end-of-line character of S3, and lets the character of S5 erase.
#pragma once

#include <cctype>
#include <cstdint>
#include <string>

namespace modemsim {

class CommandLine {
 public:
  enum class Event { none, line, repeat, too_long };

  static constexpr std::size_t longest = 255;

  Event on_byte(char c, char end_of_line, char backspace) {
    if (line_.empty() || line_.size() == 1) return on_prefix(c);
    if (c == end_of_line) {
      const Event event = line_.size() - 2 > longest ? Event::too_long : Event::line;
      if (event == Event::line) text_ = line_.substr(2);
      line_.clear();
      return event;
    }
    if (c == backspace) {
      if (line_.size() > 2) line_.pop_back();
    } else if (static_cast<unsigned char>(c) >= ' ' && line_.size() <= longest + 2) {
      line_ += c;
    }
    return Event::none;
  }

  // The line without its AT; it stays for A/.
  const std::string& text() const { return text_; }
  void clear() { line_.clear(); }

 private:
  Event on_prefix(char c) {
    const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (upper == 'A') {
      line_ = "A";
    } else if (upper == 'T' && !line_.empty()) {
      line_ += 'T';
    } else {
      const bool repeat = c == '/' && !line_.empty();
      line_.clear();
      if (repeat) return Event::repeat;
    }
    return Event::none;
  }

  std::string line_;
  std::string text_;
};

}  // namespace modemsim
