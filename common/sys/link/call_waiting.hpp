// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/event.hpp"
#include "config/config.hpp"
#include "modem/answer_machine.hpp"
#include "sys/byte_stream.hpp"
#include "sys/file_lock.hpp"
#include "sys/loop.hpp"
#include "sys/port/port.hpp"
#include "sys/port/port_yield.hpp"
#include "sys/signals.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// A call that was answered: its line, locked and open.
struct AnsweredLine {
  PortLock lock;
  std::unique_ptr<ByteStream> line;
  std::string connect;               ///< the modem's CONNECT line, escaped
  std::string leftover;              ///< what has come behind it
};

/// Waits for calls on the modem of a link for as long as the process lives, as mgetty does: the modem is initialised under the port's lock,
/// then the lock is let go and the port watched. Whoever calls out over the same modem takes the lock meanwhile; we close the port as soon
/// as somebody opens and holds it, and initialise the modem anew when he is done. What the modem sends is read only under the lock.
/// An idle wait wakes up for the modem's check alone, one with the port in others' hands once a second.
class CallWaiting {
 public:
  struct Options {
    config::Link link;
    modem::AnswerOptions modem;
    StatePaths paths;
  };
  struct Handlers {
    /// Somebody calls: may the call be taken? Errors are events, and let it ring.
    std::function<Result<void>()> may_answer;
    /// Takes the call to its end, and returns. true: a signal ended it, and ends us.
    std::function<bool(AnsweredLine)> take;
    std::function<void(Event)> happened;
  };
  /// Until a signal. An error: the wait itself cannot be.
  static Result<void> run(Options options, Signals& signals, Handlers handlers);

 private:
  CallWaiting(Options options, Signals& signals, Handlers handlers);

  bool take_port();                  ///< its lock, and the port open; what has come already goes to the machine
  void let_go();                     ///< of the lock; the port stays open, and watched
  void stand_aside();                ///< somebody else has the port: not even open
  void begin();
  void on_readable(short revents);
  void on_opened();
  void on_time();
  void write_line();
  void drain();
  void rearm();
  void end_call(modem::Answered answered);
  void told(Event event);

  Options options_;
  Signals& signals_;
  Handlers handlers_;
  Loop loop_;
  modem::AnswerMachine machine_;
  PortOpenings openings_;
  std::optional<PortLock> lock_;
  std::optional<FileLock> yields_;   ///< held while whoever wants the port is to ask again in a moment
  std::unique_ptr<ByteStream> line_;
  UniqueFd watched_;                 ///< of a device, while we do not hold its lock
  std::string to_line_;
  TimePoint held_until_{};
  bool aside_ = false;
  bool troubled_ = true;             ///< not known to be ready
  bool stopped_ = false;
  Loop::Registration signal_watch_, opened_watch_, line_watch_, timer_, aside_timer_, opened_timer_, let_go_timer_;
};

}  // namespace longline::sys
