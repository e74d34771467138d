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
    bool ahead = false;             ///< typed before the host said anything: its echo may come late, behind a prompt
    std::size_t echoed = 0;         ///< of its characters
    std::size_t echo_begin = 0;     ///< where among the bytes that the host sent its echo, or what else came while it was typed, lies
    std::size_t echo_end = 0;
    bool is_echoed() const;
  };

  void received(std::string_view bytes);
  void typed(std::string_view bytes, TimePoint now);
  const std::vector<Line>& lines() const { return lines_; }
  /// How many of the lines nothing more will be learnt of, at the front.
  std::size_t judged() const;

 private:
  struct Expected {
    char byte;
    std::size_t line;
  };
  void begin_line(TimePoint now);
  void hear(char byte);
  bool is_next_echo(char byte);
  void no_echo();
  void seek_echo_again();
  void forget_line(std::size_t line);

  std::vector<Line> lines_;
  bool open_ = false;               ///< the last line is being typed
  std::deque<Expected> echo_;       ///< typed and not yet heard
  std::string matched_;             ///< of the line at the front of echo_, heard
  bool newline_belongs_ = false;    ///< to the echo of a Return
  int erases_ = 0;                  ///< typed, and their echo not yet heard
  int erasing_ = 0;                 ///< how much of a "\b \b" has come
  std::string output_;
  std::size_t heard_ = 0;
};

/// The line as its editing keys (backspace, delete, ^U) leave it, without its Return.
std::string edited(std::string_view typed);
/// The Return that ends it, or "".
std::string_view return_of(std::string_view typed);

}  // namespace longline::script
