// SPDX-License-Identifier: MIT
#include "base/local_time.hpp"

#include <fmt/format.h>

#include <chrono>

#include "base/text.hpp"

namespace longline {
namespace {

using Key = std::int64_t (*)(const LocalTime&);

std::int64_t month_of(const LocalTime& t) { return std::int64_t{t.year} * 12 + t.month; }
std::int64_t day_of(const LocalTime& t) { return month_of(t) * 32 + t.day; }

/// The first minute behind `low`, at `high` at the latest, whose key is `wanted` or more.
WallTime first_minute(WallTime low, WallTime high, std::int64_t wanted, Key key, const LocalClock& clock) {
  using std::chrono::minutes;
  auto before = std::chrono::floor<minutes>(low), after = std::chrono::ceil<minutes>(high);
  while (after - before > minutes(1)) {
    const auto middle = before + (after - before) / 2;
    (key(clock(middle)) >= wanted ? after : before) = middle;
  }
  return after;
}

Period period(WallTime at, Key key, std::chrono::hours longest, const LocalClock& clock) {
  const std::int64_t now = key(clock(at));
  return {first_minute(at - longest, at, now, key, clock), first_minute(at, at + longest, now + 1, key, clock)};
}

}  // namespace

Period local_day(WallTime at, const LocalClock& clock) { return period(at, day_of, std::chrono::hours(27), clock); }
Period local_month(WallTime at, const LocalClock& clock) { return period(at, month_of, std::chrono::hours(32 * 24), clock); }

Result<WallTime> parse_since(std::string_view text, WallTime now, const LocalClock& clock) {
  if (const Result<Duration> ago = parse_duration(text)) return now - *ago;
  if (const Result<WallTime> at = parse_iso8601(text)) return *at;
  // A date alone: UTC's midnight lies at most 14 hours beside the local one.
  if (const Result<WallTime> midnight = text.size() == 10 ? parse_iso8601(fmt::format("{}T00:00:00Z", text)) : Error(Errc::malformed, "")) {
    const auto wanted = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*midnight));
    const LocalTime date{int(wanted.year()), unsigned(wanted.month()), unsigned(wanted.day()), 0, 0};
    return first_minute(*midnight - std::chrono::hours(27), *midnight + std::chrono::hours(27), day_of(date), day_of, clock);
  }
  return Error(Errc::malformed, fmt::format("'{}' is not like 7d, 2026-11-22 or 2026-11-22T23:10:51Z", escape_at_most(text, 64)));
}

}  // namespace longline
