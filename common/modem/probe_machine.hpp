// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/machine.hpp"
#include "modem/line_reader.hpp"

namespace longline::modem {

/// The last action.
struct Probed {
  bool answers = false;        ///< AT was answered with OK
  std::string identity{};      ///< what ATI says, escaped, lines joined by "; "
  std::string model{};         ///< what AT+CGMM says, which cellular modems know
};

using ProbeAction = std::variant<Write, DiscardInput, Probed>;

/// Is there a modem, and which one: AT twice, ATI, AT+CGMM. A machine without I/O (base/machine.hpp). Nothing that would change a
/// modem's settings or end a call is sent. Half a second for each AT, two for the others: at most 5.25 s, and one where there is
/// no modem.
class ProbeMachine {
 public:
  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const { return deadline_; }
  std::optional<ProbeAction> next_action();

 private:
  enum class Step { idle, first, second, settle, identity, model, done };

  void ask(Step step, TimePoint now);
  void finish();

  Step step_ = Step::idle;
  Probed probed_;
  LineReader lines_;
  std::optional<TimePoint> deadline_;
  std::deque<ProbeAction> actions_;
};

}  // namespace longline::modem
