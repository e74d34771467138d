// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <vector>

#include "base/local_time.hpp"
#include "base/time.hpp"

/// Time zones for tests: an offset from UTC that changes at given times.
struct Zone {
  struct Change {
    longline::WallTime at;
    std::chrono::minutes offset;
  };
  std::chrono::minutes first;
  std::vector<Change> changes{};

  longline::LocalTime operator()(longline::WallTime at) const {
    using namespace std::chrono;
    minutes offset = first;
    for (const Change& change : changes) {
      if (at >= change.at) offset = change.offset;
    }
    const auto local = at + offset;
    const auto midnight = floor<days>(local);
    const year_month_day date(midnight);
    return {int(date.year()), unsigned(date.month()), unsigned(date.day()), weekday(midnight).c_encoding(),
            static_cast<int>(floor<minutes>(local - midnight).count())};
  }
};

inline longline::WallTime utc(const char* text) { return *longline::parse_iso8601(text); }

inline const Zone kUtc{std::chrono::minutes(0)};
/// Berlin in 2026: +1 h, +2 h from March 29 to October 25, both at 01:00 UTC.
inline const Zone kBerlin{std::chrono::minutes(60),
                          {{utc("2026-03-29T01:00:00Z"), std::chrono::minutes(120)}, {utc("2026-10-25T01:00:00Z"), std::chrono::minutes(60)}}};
/// Havana, 2026: summer begins at midnight, so that a day begins at 01:00 (March 8, 05:00 UTC).
inline const Zone kHavana{std::chrono::minutes(-300), {{utc("2026-03-08T05:00:00Z"), std::chrono::minutes(-240)}}};
/// Lord Howe Island moves by half an hour.
inline const Zone kLordHowe{std::chrono::minutes(660), {{utc("2026-04-04T15:00:00Z"), std::chrono::minutes(630)}}};
