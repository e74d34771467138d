// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace longline::script {

/// Takes a terminal session apart into what was typed as one answer, and whether the host echoed it. An answer ends with Return, or where the
/// host goes on to a new line by itself (menus that want one key).
class TypedLines {
 public:
  struct Line {
    std::string bytes;              ///< as typed, with its Return
    TimePoint began{};              ///< first key
    TimePoint ended{};              ///< last key
    std::size_t heard_before = 0;   ///< how many bytes the host had sent when it was begun
    std::string output;             ///< what the host said before it, without echoes
    std::size_t echoed = 0;         ///< of its characters
    bool is_echoed() const;
  };

  void received(std::string_view bytes);
  void typed(std::string_view bytes, TimePoint now);
  const std::vector<Line>& lines() const { return lines_; }

 private:
  struct Expected {
    char byte;
    std::size_t line;
  };
  void hear(char byte);
  void no_echo();

  std::vector<Line> lines_;
  bool open_ = false;               ///< the last line is being typed
  std::deque<Expected> echo_;       ///< typed and not yet heard
  std::string matched_;             ///< of the line at the front of echo_, heard
  bool newline_belongs_ = false;    ///< to the echo of a Return
  std::string output_;
  std::size_t heard_ = 0;
};

/// The line as its editing keys (backspace, delete, ^U) leave it, without its Return.
std::string edited(std::string_view typed);

}  // namespace longline::script
