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
#include "modem/line_reader.hpp"
#include "modem/result_code.hpp"

namespace longline::modem {

struct DialOptions {
  std::vector<std::string> init;      ///< each must be answered with OK
  std::string dial = "ATDT";
  std::string number;
  Duration dial_timeout{60'000};      ///< from the dial command to CONNECT
};

/// The end of one attempt to reach one number.
struct Dialled {
  std::optional<Error> error;         ///< absent: connected
  std::string connect;                ///< the CONNECT line, escaped: "CONNECT 28800/ARQ"
  std::string leftover;               ///< bytes behind it: they belong to whoever comes next
};

using DialAction = std::variant<Write, SetDtr, DiscardInput, Dialled>;

/// One attempt: flush, wake the modem (AT), initialise, dial, wait for CONNECT. A machine without I/O (base/machine.hpp).
///
/// A modem that does not answer is brought back step by step: AT three times; DTR low for a second; guard time, +++,
/// guard time, ATH (it was left in data state); ATQ0V1E1 (it was left quiet; said again after an ATZ or AT&F that makes
/// it quiet once more). Each wait has an end: a silent modem is
/// known as such after 9.4 s (Errc::modem_silent). Stages: modem until the dial command, then dial.
class DialMachine {
 public:
  explicit DialMachine(DialOptions options) : options_(std::move(options)) {}

  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const { return deadline_; }
  /// The number was dialled and the modem has not answered yet: it has no carrier now.
  bool awaits_connect() const { return step_ == Step::dial; }
  std::optional<DialAction> next_action();

 private:
  enum class Step { idle, wake, dtr_low, guard_before, guard_after, hang_up, loud, init, settle, dial, line_end, done };

  void enter_wake(int tries, TimePoint now);
  void enter_init(std::size_t index, TimePoint now);
  void enter_loud(std::size_t next_init, TimePoint now);
  void settle(std::size_t next_init, TimePoint now);   ///< what the modem volunteers now is nobody's answer
  void enter_dial(TimePoint now);
  void on_line(const std::string& line, TimePoint now);
  void on_dial_line(const std::string& line, TimePoint now);
  void send(std::string command);
  void fail(Errc code, std::string what);
  void finish(Dialled end);

  DialOptions options_;
  Step step_ = Step::idle;
  int wake_tries_ = 0;
  int rung_ = 0;                       ///< of the recovery ladder, 0 = not on it
  std::size_t init_index_ = 0;
  std::size_t after_settle_ = 0;
  bool quiet_ = false;                 ///< it answered only after ATQ0
  std::size_t loud_next_ = 0;          ///< the init string after ATQ0V1E1
  LineReader lines_;
  std::string connect_;
  std::string leftover_;
  bool heard_ = false;                 ///< the modem has sent something since the start
  std::optional<TimePoint> deadline_;
  std::deque<DialAction> actions_;
};

}  // namespace longline::modem
