// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/time.hpp"

namespace longline {

/// What the clock on the wall and the calendar beside it show: hours, and the days and months of a budget, are local.
struct LocalTime {
  int year = 1970;
  unsigned month = 1;       ///< 1…12
  unsigned day = 1;         ///< 1…31
  unsigned weekday = 4;     ///< 0 = Sunday
  int minute = 0;           ///< of the day, 0…1439
};

/// The time zone, as a function: sys/local_clock.hpp has the host's, tests have others. Its offset changes at a quarter of an
/// hour, as every zone's has since 1972; an hour that comes twice is shown twice, one that is left out never.
using LocalClock = std::function<LocalTime(WallTime)>;

/// The first minute of the local day, or month, that `at` lies in, and of the next one.
struct Period {
  WallTime begin;
  WallTime end;
};
Period local_day(WallTime at, const LocalClock& clock);
Period local_month(WallTime at, const LocalClock& clock);

/// Where a person says from when on: "7d" ago, "2026-11-22" (local), "2026-11-22T23:10:51Z". Errc::malformed.
Result<WallTime> parse_since(std::string_view text, WallTime now, const LocalClock& clock);

}  // namespace longline
