// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string_view>
#include <variant>

#include "base/machine.hpp"
#include "modem/line_reader.hpp"

namespace longline::modem {

/// How the modem stands when it is to hang up.
enum class ModemState {
  on_hook,    ///< it said so itself (BUSY, NO CARRIER): nothing to do but to make sure
  dialling,   ///< it may be off hook: any character ends the attempt
  data,       ///< connected
};

struct HungUp {
  bool confirmed = false;  ///< the modem answered in command state; else closing the port is the last means
};

using HangUpAction = std::variant<Write, SetDtr, HungUp>;

/// Puts the modem on hook: DTR low for half a second (the modem has &D2), then ATH; where that is not answered, guard
/// time, +++, guard time, ATH. At most 4.9 s. In data state nothing is written before DTR has failed: bytes written
/// into a connection could become part of a message.
class HangUpMachine {
 public:
  explicit HangUpMachine(ModemState state) : state_(state) {}

  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const { return deadline_; }
  std::optional<HangUpAction> next_action();

 private:
  enum class Step { idle, dtr_low, settle, on_hook, guard_before, guard_after, hang_up, done };

  void command(Step step, TimePoint now);
  void finish(bool confirmed);

  ModemState state_;
  Step step_ = Step::idle;
  TimePoint started_{};
  bool escaped_ = false;        ///< the escape sequence is the next means, or has been
  bool saw_end_ = false;        ///< the modem said that the connection is over
  LineReader lines_;
  std::optional<TimePoint> deadline_;
  std::deque<HangUpAction> actions_;
};

}  // namespace longline::modem
