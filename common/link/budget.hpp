// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "base/local_time.hpp"
#include "config/policy.hpp"
#include "link/tariff.hpp"

namespace longline::link {

/// What a link has used of its local day and month, by the ledger. A call counts when it was connected; its time where it lies,
/// its cost in the month in which it began.
struct Usage {
  std::int64_t calls_today = 0;
  Duration today{};
  Duration month{};
  Money cost_month = 0;
};

/// A budget that leaves no room for another call.
struct Spent {
  std::string what;                          ///< "40 of 40 calls-per-day"
  enum class Until { tomorrow, next_month, for_ever } until = Until::tomorrow;
};
/// The limit that is spent for longest; nullopt: a call may be made. What is left must do for ten seconds, and for the
/// first increment of the tariff.
std::optional<Spent> spent(const config::Budget& budget, const config::Tariff& tariff, const Usage& usage);

/// How much longer a call may last that has been connected for `connected`; `others` is the usage without it. nullopt: no limit.
/// A limit that midnight lifts before it is reached is none: who asks again every minute knows in time.
std::optional<Duration> time_left(const config::Budget& budget, const config::Tariff& tariff, const Usage& others, Duration connected,
                                  WallTime now, const Period& day, const Period& month);

}  // namespace longline::link
