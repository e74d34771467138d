// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/machine.hpp"

namespace longline::script {

/// Typing in the terminal window is allowed, or not (`set screen keyboard on|off`). Nothing to do without a terminal.
struct SetKeyboard {
  bool on = false;
  bool operator==(const SetKeyboard&) const = default;
};

enum class Outcome {
  ok,
  unsuccessful,   ///< the script came to its end with $SUCCESS FALSE
  halted,         ///< `halt`
  runtime_error,  ///< overflow, division by zero, a loop without an end …
  timed_out,      ///< by the deadline of the run
  carrier_lost,   ///< the stream ended under the script
};

/// How a script ended; the last action of its machine.
struct Finished {
  Outcome outcome = Outcome::ok;
  std::string reason;                     ///< one line, escaped, without secrets; empty when ok
  Where where;                            ///< the command that the script ended in
  std::optional<std::string> address{};   ///< of `set ipaddr`: our own address on this link, as the script gave it
  std::string leftover;                   ///< bytes received behind the last match: they belong to whoever comes next
};

using Action = std::variant<Write, SetFraming, SetKeyboard, Finished>;

/// The end as an Error of stage login; nullopt when ok. Timed out and unsuccessful are `login-timeout`, halted is
/// `login-failed`, carrier lost is `line-dropped` (all worth another call); a run-time error is `script-error`.
std::optional<Error> to_error(const Finished& finished);

/// The exit status that chatrun gives, chat(8)'s: 0 ok, 1 script error, 2 carrier lost, 3 timed out or unsuccessful,
/// 4 halted.
int chat_status(Outcome outcome);

/// "ok", "unsuccessful", "halted", "runtime-error", "timed-out", "carrier-lost"
std::string_view to_string(Outcome outcome);

}  // namespace longline::script
