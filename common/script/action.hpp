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

/// What a chat script tells its user.
struct Notice {
  enum class Kind {
    say,      ///< the text of SAY
    echo,     ///< received bytes, while ECHO is on
    show,     ///< received bytes, for chat's -V
    report,   ///< a REPORT string and what followed it on its line; `at`: when it came
    log,      ///< a line of chat's -v
    failure,  ///< what chat says of a failure without -v, too; Finished says it better
  };
  Kind kind = Kind::say;
  std::string text;   ///< without secrets; bytes of the peer are not escaped in say, echo, show and report
  TimePoint at{};
  bool operator==(const Notice&) const = default;
};

/// SIGHUP ends the run, or not (chat's HANGUP ON|OFF): who is called back has to survive the end of the first call.
struct SetHangup {
  bool ends = true;
  bool operator==(const SetHangup&) const = default;
};

enum class Outcome {
  ok,
  unsuccessful,   ///< the script came to its end with $SUCCESS FALSE; an expect had no answer
  halted,         ///< `halt`
  aborted,        ///< an ABORT string came
  runtime_error,  ///< overflow, division by zero, a loop without an end, a file that cannot be read …
  not_sent,       ///< the line did not take what was to be sent
  timed_out,      ///< by the deadline of the run
  carrier_lost,   ///< the stream ended under the script
};

/// How a script ended; the last action of its machine.
struct Finished {
  Outcome outcome = Outcome::ok;
  std::string reason;                     ///< one line, escaped, without secrets; empty when ok
  Where where;                            ///< the command that the script ended in
  std::optional<std::string> address{};   ///< of `set ipaddr`: our own address on this link, as the script gave it
  std::string leftover{};                 ///< bytes received behind the last match: they belong to whoever comes next
  int abort = 0;                          ///< of `aborted`: which of the ABORT strings that were in force, from 0
};

using Action = std::variant<Write, SetFraming, SetKeyboard, SendBreak, DiscardInput, Notice, SetHangup, Finished>;

/// The end as an Error of stage login; nullopt when ok. Timed out, unsuccessful and not sent are `login-timeout`, halted and aborted
/// `login-failed`, carrier lost is `line-dropped` (all worth another call); a run-time error is `script-error`.
std::optional<Error> to_error(const Finished& finished);

/// The exit status that chatrun gives, chat(8)'s: 0 ok, 1 script error or not sent, 2 carrier lost, 3 timed out or unsuccessful,
/// 4 halted or the first ABORT string, 5 the second, and so on, at most 255.
int chat_status(const Finished& finished);

/// "ok", "unsuccessful", "halted", "aborted", "runtime-error", "not-sent", "timed-out", "carrier-lost"
std::string_view to_string(Outcome outcome);

}  // namespace longline::script
