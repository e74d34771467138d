// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "modem/dial_machine.hpp"
#include "modem/line_reader.hpp"

namespace longline::modem {

struct AnswerOptions {
  bool has_modem = true;              ///< false: a cable, on which the first byte is the call
  std::vector<std::string> init;      ///< each must be answered with OK; ATS0=0 follows, so that the modem leaves answering to us
  int rings = 1;                      ///< answer at this one
  Duration connect_timeout{60'000};   ///< from ATA to CONNECT
  Duration check_every{600'000};      ///< ask an idle modem whether it is there
};

/// The modem is initialised and rings when somebody calls.
struct ModemReady {
  bool operator==(const ModemReady&) const = default;
};

/// The modem is silent, refuses its initialisation, or its port is gone. It is tried again, from the start, `again` from now.
struct ModemTrouble {
  Error error;
  Duration again;
};

/// `enough`: it has rung as often as it was to; accept() answers.
struct Ringing {
  int ring = 1;
  bool enough = false;
  bool operator==(const Ringing&) const = default;
};

/// It rang, and no connection came of it.
struct CallMissed {
  Error error;
};

struct Answered {
  std::string connect;                ///< the CONNECT line, escaped; "" on a cable
  std::string leftover;               ///< bytes behind it: they belong to whoever comes next
};

using AnswerAction = std::variant<Write, SetDtr, DiscardInput, Recovery, ModemReady, ModemTrouble, Ringing, CallMissed, Answered>;

/// Waits for a call on a modem: initialises it, waits for RING, answers with ATA when it may, waits for CONNECT. A machine without I/O
/// (base/machine.hpp) that never gives up: what is wrong is told (ModemTrouble) and tried again, after 15 s, then longer, up to ten
/// minutes. Answered is its end; start() begins anew.
///
/// While idle() the port may belong to somebody else: whoever runs the machine takes the port before it passes on_bytes() or on_time(),
/// and lets it go when the machine is idle again. Where the port cannot be had, start() afterwards: somebody else has used the modem.
class AnswerMachine {
 public:
  explicit AnswerMachine(AnswerOptions options) : options_(std::move(options)) {}

  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  /// The port could not be opened, or its lock not be asked for: as when it had been closed.
  void on_trouble(Error error, TimePoint now);
  /// Answers the call that rings. One that nobody accepts rings until the caller gives up.
  void accept(TimePoint now);
  /// Somebody else uses the modem: nothing is done before start().
  void stand_aside();
  std::optional<TimePoint> deadline() const;
  std::optional<AnswerAction> next_action();
  /// Initialising, or asking whether the modem is there: nothing is lost when somebody else takes it.
  bool can_wait() const { return step_ == Step::preparing || step_ == Step::checking; }
  /// Initialised: what the modem sends now is a call.
  bool waits() const { return step_ == Step::waiting; }
  bool idle() const { return step_ == Step::waiting || step_ == Step::paused || step_ == Step::fresh || step_ == Step::done; }

 private:
  enum class Step { fresh, preparing, waiting, ringing, checking, answering, line_end, paused, done };

  void drain_preparation(TimePoint now);
  void wait_for_ring(TimePoint now);
  void trouble(Error error, TimePoint now);
  void on_line(const std::string& line, TimePoint now);
  void rang(TimePoint now);
  void missed(Errc code, std::string what, TimePoint now);
  void answered();

  AnswerOptions options_;
  Step step_ = Step::fresh;
  std::optional<DialMachine> preparation_;
  LineReader lines_;
  int rings_ = 0;
  int troubles_ = 0;                  ///< in a row
  std::string connect_;
  std::string leftover_;
  std::optional<TimePoint> deadline_;
  std::deque<AnswerAction> actions_;
};

}  // namespace longline::modem
