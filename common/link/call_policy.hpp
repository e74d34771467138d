// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "base/local_time.hpp"
#include "config/config.hpp"
#include "link/backoff.hpp"
#include "link/budget.hpp"

namespace longline::link {

/// What is known about a link when somebody wants to call: the ledger's knowledge, the time, and who asks.
struct CallQuestion {
  Usage usage{};
  std::optional<BackoffState> backoff{};   ///< of the last failure, whether it is over or not
  Moment now{};
  bool urgent = false;                     ///< --grade urgent
};

/// Whether a link may call.
struct Standing {
  enum class Reason { none, hours, budget, backoff };
  Reason reason = Reason::none;            ///< hours and budget go before the backoff: --now does not help there
  std::optional<Error> refusal{};          ///< outside-hours or over-budget (77), unreachable (75), sim-pin-refused (77); stage policy
  std::optional<WallTime> next{};          ///< when the next call is allowed, everything considered; nullopt: nobody knows
  bool unreachable = false;                ///< backing off, whatever else
  std::optional<WallTime> unreachable_until{};   ///< nullopt also where it waits for a person
};
Standing judge_call(const config::Link& link, const CallQuestion& question, const LocalClock& clock);

/// "dial-out-hours", "budget", "connection-failure", "" for none: the reason member of status --json. Those of RRAS where it has one.
std::string_view to_string(Standing::Reason reason);

/// Until when a call that is under way may go on, and why not longer.
struct CallLimit {
  WallTime at;
  Error why;                               ///< call-limit, stage policy
};
/// `others`: the usage without this call. nullopt: nothing but max-call limits it. Asked again every minute.
std::optional<CallLimit> call_limit(const config::Link& link, const Usage& others, Duration connected, bool urgent, WallTime now,
                                    const LocalClock& clock);

/// "Thu 2026-11-26 06:00", local.
std::string format_local(WallTime at, const LocalClock& clock);

}  // namespace longline::link
