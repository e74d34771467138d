// SPDX-License-Identifier: MIT
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "script/terminal_filter.hpp"
#include "script/terminal_keys.hpp"
#include "sys/loop.hpp"
#include "sys/side_output.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// The terminal of the person at the keyboard, raw while it is open; it gets its settings back at the end. A keyboard that is no terminal (a pipe)
/// is read to its end. A screen that stands still waits in a buffer of 64 KiB; what is more is lost.
class UserTerminal {
 public:
  /// `controlling`: /dev/tty, where stdin and stdout are the line; else stdin and stdout. Errc::not_a_tty when there is no such terminal.
  static Result<UserTerminal> open(bool controlling);
  UserTerminal(UserTerminal&& other) noexcept;
  UserTerminal& operator=(UserTerminal&&) = delete;
  ~UserTerminal();

  int keyboard() const { return keyboard_; }
  struct Keys {
    std::string bytes{};      ///< for the line
    bool end = false;         ///< ~.
    bool over = false;        ///< the end of a keyboard that is a pipe
    bool send_break = false;  ///< ~#, behind the bytes
    bool more = false;        ///< call again
  };
  /// After POLLIN or POLLHUP of keyboard(), and as long as there is more. Help is shown here.
  Keys read();
  /// What the peer says, without what could make the terminal act (script/terminal_filter.hpp).
  void show(std::string_view bytes);
  /// A line of our own.
  void tell(const std::string& text);
  /// Shows what waits, in this turn of the loop or when there is room; call once a turn.
  void refresh(Loop& loop);
  bool is_behind() const { return unshown_.size() >= kMostUnshown; }
  bool is_stuck() const { return !unshown_.empty(); }

 private:
  explicit UserTerminal(UniqueFd owned, int keyboard, int screen) : owned_(std::move(owned)), keyboard_(keyboard), screen_(screen) {}
  void put(std::string_view bytes);
  void flush();

  static constexpr std::size_t kMostUnshown = 65536;
  UniqueFd owned_;
  int keyboard_ = -1;
  SideOutput screen_;
  std::optional<termios> before_;
  script::TerminalKeys keys_;
  script::TerminalFilter filter_;
  std::string typed_;        ///< behind a command, not yet looked at
  bool over_ = false;
  std::string unshown_;
  Loop::Registration showing_;
};

}  // namespace longline::sys
