// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "sys/byte_stream.hpp"
#include "sys/login/user_terminal.hpp"
#include "sys/loop.hpp"
#include "sys/signals.hpp"

namespace longline::sys {

/// Sees what passes.
class TerminalTrace {
 public:
  virtual ~TerminalTrace() = default;
  virtual void received(std::string_view bytes, TimePoint now) = 0;
  virtual void typed(std::string_view bytes, TimePoint now) = 0;
  virtual void carrier_lost(TimePoint now) = 0;
};

/// Joins the user's terminal to a line until the user ends it.
class TerminalSession {
 public:
  enum class End {
    asked,       ///< ~., or the end of the keyboard's input
    line_lost,
    idle,        ///< nothing was typed or received for so long
  };
  TerminalSession(Loop& loop, ByteStream& line, UserTerminal& terminal, Duration idle, TerminalTrace& trace)
      : loop_(loop), line_(line), terminal_(terminal), idle_(idle), trace_(trace) {}

  /// Errc::interrupted when a signal came.
  Result<End> run(Signals& signals);

 private:
  void keys();
  void read();
  void write();
  void lost();
  void watch();
  void fail(Error error);

  Loop& loop_;
  ByteStream& line_;
  UserTerminal& terminal_;
  Duration idle_;
  TerminalTrace& trace_;
  std::string pending_;        ///< typed, and not yet taken by the line
  bool had_carrier_ = false;
  TimePoint last_{};
  std::optional<End> end_;
  std::optional<Error> error_;
  Loop::Registration reading_, writing_, typing_;
};

}  // namespace longline::sys
