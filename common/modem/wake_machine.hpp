// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/event.hpp"
#include "base/machine.hpp"
#include "modem/line_reader.hpp"

namespace longline::modem {

struct WakeOptions {
  bool cellular = false;          ///< AT+CFUN=1,1 restarts it
  bool reset_command = false;     ///< somebody configured a program that resets it
};

/// A rung of the recovery ladder was tried.
struct Recovery {
  std::string rung;               ///< "dtr", "escape", "atq0", "lcp", "cfun", "reset-command"
  bool helped = false;
  std::string note{};             ///< what the reset-command, or opening the port again, said; may be empty
};

Event to_event(const Recovery& recovery);   ///< modem.recovery; whose modem it is, its receiver knows

/// Close the port, run the link's reset-command if `command`, open the port again when it is there. The answer is on_reopened().
struct ReopenPort {
  bool command = false;
};

/// How that went.
struct Reopened {
  std::optional<Error> error;     ///< the port did not come back
  std::string note{};             ///< the command failed, and how
};

/// The last action. Without an error the modem has answered AT with OK.
struct Awake {
  std::optional<Error> error;
  bool quiet = false;             ///< it answers only after ATQ0V1E1
};

using WakeAction = std::variant<Write, SetDtr, DiscardInput, Recovery, ReopenPort, Awake>;

/// Gets a modem to answer AT. A machine without I/O (base/machine.hpp).
///
/// A modem that does not answer is brought back rung by rung: AT three times; DTR low for a second; guard time, +++, guard time, ATH (it
/// was left in data state); ATQ0V1E1 (it was left quiet); an LCP Terminate-Request (it, or its peer, is still in PPP); AT+CFUN=1,1 where
/// it is cellular; the reset-command where there is one. A silent modem is known as such after 11.2 s. AT+CFUN=1,1 adds 25 s at most:
/// 5 for the OK and 20 until it speaks again; the reset-command 120: 60 for the program, 30 until the port is there, 30 for AT. A port
/// that goes away while the modem restarts is opened again, twice at most.
class WakeMachine {
 public:
  explicit WakeMachine(WakeOptions options) : options_(options) {}

  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_reopened(Reopened outcome, TimePoint now);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const { return deadline_; }
  std::optional<WakeAction> next_action();

 private:
  enum class Step { idle, ask, dtr_low, guard_before, guard_after, hang_up, loud, lcp, restart, reopening, settle, done };
  enum class Rung { none, dtr, escape, loud, lcp, cfun, command, end };

  void ask(int tries, TimePoint now);
  void ask_again(TimePoint now);
  void next_rung(TimePoint now);
  void climb(TimePoint now);
  void reopen(bool command, TimePoint now);
  void answered(TimePoint now);
  void finish(std::optional<Error> error);

  WakeOptions options_;
  Step step_ = Step::idle;
  Rung rung_ = Rung::none;
  int tries_ = 0;                 ///< AT commands left, this one included
  bool first_ = true;             ///< nothing but one AT was sent
  bool escaped_ = false;          ///< +++ was answered
  bool quiet_ = false;
  bool heard_ = false;            ///< it has sent something
  int reopens_ = 0;               ///< of a port that went away by itself
  std::string note_;
  LineReader lines_;
  std::optional<TimePoint> deadline_;
  std::deque<WakeAction> actions_;
};

}  // namespace longline::modem
