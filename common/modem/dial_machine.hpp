// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "modem/gsm_machine.hpp"
#include "modem/line_reader.hpp"
#include "modem/result_code.hpp"
#include "modem/wake_machine.hpp"

namespace longline::modem {

struct DialOptions {
  std::vector<std::string> init;      ///< each must be answered with OK
  std::string dial = "ATDT";
  std::string number;
  Duration dial_timeout{60'000};      ///< from the dial command to CONNECT
  bool reset_command = false;         ///< there is a program that resets the modem
  std::optional<GsmOptions> gsm{};    ///< the modem is a cellular one
  bool prepare_only = false;          ///< ends, without an error, where the dial command would be sent
};

/// The end of one attempt to reach one number.
struct Dialled {
  std::optional<Error> error;         ///< absent: connected
  std::string connect;                ///< the CONNECT line, escaped: "CONNECT 28800/ARQ"
  std::string leftover;               ///< bytes behind it: they belong to whoever comes next
  std::optional<int> signal_dbm{};    ///< of a cellular modem, just before the call
};

using DialAction = std::variant<Write, SetDtr, DiscardInput, Recovery, ReopenPort, Dialled>;

/// One attempt: wake the modem (WakeMachine, with its recovery ladder), initialise, see to SIM and network if it is a cellular one
/// (GsmMachine), dial, wait for CONNECT; after a failed call a cellular modem is asked for the cause (AT+CEER). A machine without
/// I/O (base/machine.hpp).
///
/// A modem that was left quiet and goes quiet once more with an ATZ or AT&F is told ATQ0V1E1 again. Each wait has an end. Stages:
/// modem until the dial command, then dial.
class DialMachine {
 public:
  explicit DialMachine(DialOptions options) : options_(std::move(options)) {}

  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_reopened(Reopened outcome, TimePoint now);   ///< the answer to ReopenPort
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const;
  /// The number was dialled and the modem has not answered yet: it has no carrier now.
  bool awaits_connect() const { return step_ == Step::dial; }
  std::optional<DialAction> next_action();

 private:
  enum class Step { idle, wake, loud, init, settle, gsm, dial, cause, line_end, done };

  void drain_wake(TimePoint now);
  void drain_gsm(TimePoint now);
  void enter_gsm(TimePoint now);
  void enter_init(std::size_t index, TimePoint now);
  void enter_loud(std::size_t next_init, TimePoint now);
  void settle(std::size_t next_init, TimePoint now);   ///< what the modem volunteers now is nobody's answer
  void enter_dial(TimePoint now);
  void on_line(const std::string& line, TimePoint now);
  void on_dial_line(const std::string& line, TimePoint now);
  void on_cause_line(const std::string& line);
  void call_failed(Errc code, std::string what, TimePoint now);
  void send(std::string command);
  void fail(Errc code, std::string what);
  void finish(Dialled end);

  DialOptions options_;
  Step step_ = Step::idle;
  std::optional<WakeMachine> wake_;
  std::optional<GsmMachine> gsm_;
  std::size_t init_index_ = 0;
  std::size_t after_settle_ = 0;
  bool quiet_ = false;                 ///< it answered only after ATQ0
  std::size_t loud_next_ = 0;          ///< the init string after ATQ0V1E1
  LineReader lines_;
  std::string connect_;
  std::string leftover_;
  std::optional<int> signal_dbm_;
  std::optional<Error> failure_;       ///< of the call, while the modem is asked for the cause
  bool told_cause_ = false;
  std::optional<TimePoint> deadline_;
  std::deque<DialAction> actions_;
};

}  // namespace longline::modem
