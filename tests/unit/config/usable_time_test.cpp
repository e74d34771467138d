// SPDX-License-Identifier: MIT
#include "config/usable_time.hpp"

#include <doctest/doctest.h>

#include <random>

#include "config/hours.hpp"
#include "unit/zone.hpp"

using namespace longline;
using namespace longline::config;

namespace {

std::vector<Hours> usable_hours(std::initializer_list<const char*> texts) {
  std::vector<Hours> out;
  for (const char* text : texts) out.push_back(*parse_hours(text));
  return out;
}

constexpr Duration kHour{3'600'000};

}  // namespace

TEST_CASE("usable time: without hours all of it") {
  UsableTime time({}, {}, kUtc);
  CHECK(time.between(utc("2026-11-26T00:00:00Z"), utc("2026-11-28T00:00:00Z")) == 48 * kHour);
  CHECK(time.between(utc("2026-11-28T00:00:00Z"), utc("2026-11-26T00:00:00Z")) == Duration(0));
  CHECK(time.after(utc("2026-11-26T00:00:00Z"), 5 * kHour) == utc("2026-11-26T05:00:00Z"));
}

TEST_CASE("usable time: a weekend without calls does not count") {
  UsableTime time(usable_hours({"Mo-Fr 06:00-22:00"}), {}, kUtc);
  // Friday 20:00 to Monday 08:00: two hours on Friday, two on Monday.
  CHECK(time.between(utc("2026-11-27T20:00:00Z"), utc("2026-11-30T08:00:00Z")) == 4 * kHour);
  CHECK(time.between(utc("2026-11-28T20:00:00Z"), utc("2026-11-29T08:00:00Z")) == Duration(0));
  CHECK(time.after(utc("2026-11-27T20:00:00Z"), 4 * kHour) == utc("2026-11-30T08:00:00Z"));
  CHECK(time.after(utc("2026-11-28T20:00:00Z"), Duration(1)) == utc("2026-11-30T06:00:00Z") + Duration(1));
  CHECK(time.after(utc("2026-11-27T20:00:00Z"), 2 * kHour) == utc("2026-11-27T22:00:00Z"));
}

TEST_CASE("usable time: both the link's hours and the connector's") {
  UsableTime time(usable_hours({"Mo-Su 06:00-12:00"}), usable_hours({"Mo-Su 10:00-14:00", "We 08:00-09:00"}), kUtc);
  CHECK(time.between(utc("2026-11-26T00:00:00Z"), utc("2026-11-27T00:00:00Z")) == 2 * kHour);   // a Thursday
  CHECK(time.between(utc("2026-11-25T00:00:00Z"), utc("2026-11-26T00:00:00Z")) == 3 * kHour);
  CHECK(time.after(utc("2026-11-25T00:00:00Z"), 4 * kHour) == utc("2026-11-26T11:00:00Z"));
  UsableTime never(usable_hours({"Mo 06:00-07:00"}), usable_hours({"Tu 06:00-07:00"}), kUtc);
  CHECK(never.between(utc("2020-11-26T00:00:00Z"), utc("2026-11-27T00:00:00Z")) == Duration(0));
  CHECK_FALSE(never.after(utc("2020-11-26T00:00:00Z"), kHour));
}

TEST_CASE("usable time: an hour that comes twice counts twice, one that is left out not at all") {
  UsableTime time(usable_hours({"Su 02:00-03:00"}), {}, kBerlin);
  CHECK(time.between(utc("2026-10-24T00:00:00Z"), utc("2026-10-26T00:00:00Z")) == 2 * kHour);
  CHECK(time.between(utc("2026-03-28T00:00:00Z"), utc("2026-03-30T00:00:00Z")) == Duration(0));
}

TEST_CASE("usable time: the same answers in any order of questions, and as counted minute by minute") {
  const auto link = usable_hours({"Mo-Fr 06:10-22:00", "Sa 08:00-12:00"}), connector = usable_hours({"Mo-Sa 00:00-09:33", "Mo-Su 20:00-24:00"});
  UsableTime shared(link, connector, kLordHowe);
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    const WallTime from = utc("2026-03-25T00:00:00Z") + Duration(static_cast<std::int64_t>(random() % 20'000) * 60'000);
    const WallTime until = from + Duration(static_cast<std::int64_t>(random() % 8'000) * 60'000);
    Duration counted{};
    for (WallTime t = from; t < until; t += Duration(60'000)) {
      const LocalTime local = kLordHowe(t);
      if (within_hours(link, local) && within_hours(connector, local)) counted += Duration(60'000);
    }
    CHECK(shared.between(from, until) == counted);
    CHECK(UsableTime(link, connector, kLordHowe).between(from, until) == counted);
    if (counted == Duration(0)) continue;
    const auto end = shared.after(from, counted);
    REQUIRE(end);
    CHECK(shared.between(from, *end) == counted);
    CHECK(*end <= until);
  }
}
