// SPDX-License-Identifier: MIT
#include "config/hours.hpp"

#include <doctest/doctest.h>

#include "unit/zone.hpp"

using namespace longline;
using namespace longline::config;

namespace {

std::vector<config::Hours> hours(std::initializer_list<const char*> texts) {
  std::vector<config::Hours> out;
  for (const char* text : texts) out.push_back(*config::parse_hours(text));
  return out;
}

std::string shown(std::optional<WallTime> at) { return at ? format_iso8601(*at) : "never"; }

}  // namespace

TEST_CASE("hours: both ends of the days belong to it, the end of the time does not") {
  const auto office = hours({"Mo-Fr 06:00-22:00", "Sa 08:00-12:00"});
  const auto at = [&](const char* text) { return within_hours(office, kUtc(utc(text))); };
  CHECK_FALSE(at("2026-11-23T05:59:59Z"));   // a Monday
  CHECK(at("2026-11-23T06:00:00Z"));
  CHECK(at("2026-11-27T21:59:59Z"));
  CHECK_FALSE(at("2026-11-27T22:00:00Z"));
  CHECK(at("2026-11-28T08:00:00Z"));
  CHECK_FALSE(at("2026-11-29T10:00:00Z"));
  CHECK(within_hours({}, kUtc(utc("2026-11-29T10:00:00Z"))));
}

TEST_CASE("hours: the next time and the end, to the minute") {
  const auto office = hours({"Mo-Fr 06:00-22:00", "Sa 08:00-12:00"});
  CHECK(shown(next_within(office, utc("2026-11-28T12:00:00Z"), kUtc)) == "2026-11-30T06:00:00Z");
  CHECK(shown(next_within(office, utc("2026-11-28T07:59:59Z"), kUtc)) == "2026-11-28T08:00:00Z");
  CHECK(shown(next_within(office, utc("2026-11-28T09:07:03Z"), kUtc)) == "2026-11-28T09:07:03Z");
  CHECK(shown(end_of_hours(office, utc("2026-11-28T09:07:03Z"), kUtc)) == "2026-11-28T12:00:00Z");
  CHECK(shown(end_of_hours(hours({"Mo-Su 00:00-24:00"}), utc("2026-11-28T09:07:03Z"), kUtc)) == "never");
  CHECK(shown(end_of_hours({}, utc("2026-11-28T09:07:03Z"), kUtc)) == "never");
  // Across midnight without a gap.
  const auto night = hours({"Fr 22:00-24:00", "Sa 00:00-05:30"});
  CHECK(shown(end_of_hours(night, utc("2026-11-27T23:30:00Z"), kUtc)) == "2026-11-28T05:30:00Z");
  CHECK(shown(next_within(hours({"Mo 23:53-23:54"}), utc("2026-11-23T23:54:00Z"), kUtc)) == "2026-11-30T23:53:00Z");
}

TEST_CASE("hours: local time, through the changes of the clock") {
  const auto day = hours({"Mo-Su 06:00-22:00"});
  CHECK(shown(next_within(day, utc("2026-03-28T21:00:00Z"), kBerlin)) == "2026-03-29T04:00:00Z");   // 06:00 summer time
  CHECK(shown(next_within(day, utc("2026-10-24T20:00:00Z"), kBerlin)) == "2026-10-25T05:00:00Z");
  CHECK(shown(end_of_hours(hours({"Mo-Su 00:00-06:00"}), utc("2026-03-28T23:00:00Z"), kBerlin)) == "2026-03-29T04:00:00Z");
  // 02:00-03:00 is left out on March 29, and comes twice on October 25.
  const auto night = hours({"Mo-Su 02:15-02:45"});
  CHECK(shown(next_within(night, utc("2026-03-28T23:30:00Z"), kBerlin)) == "2026-03-30T00:15:00Z");
  CHECK(shown(next_within(night, utc("2026-10-24T23:30:00Z"), kBerlin)) == "2026-10-25T00:15:00Z");
  CHECK(shown(end_of_hours(night, utc("2026-10-25T00:15:00Z"), kBerlin)) == "2026-10-25T00:45:00Z");
  CHECK(shown(next_within(night, utc("2026-10-25T00:45:00Z"), kBerlin)) == "2026-10-25T01:15:00Z");
  CHECK(shown(next_within(hours({"Su 00:00-00:30"}), utc("2026-03-08T01:00:00Z"), kHavana)) == "2026-03-15T04:00:00Z");
  CHECK(shown(end_of_hours(hours({"Su 01:00-02:00"}), utc("2026-04-04T14:30:00Z"), kLordHowe)) == "2026-04-04T15:30:00Z");
}

TEST_CASE("hours: shown as they are read") {
  for (const char* text : {"Mo-Fr 06:00-22:00", "Sa,Su 08:00-24:00", "Su-Tu 00:00-00:01", "Mo,We,Fr 12:00-13:00",
                           "Mo-Su 00:00-24:00", "Tu-Th,Sa 01:02-03:04"}) {
    CAPTURE(text);
    const auto once = hours({text});
    CHECK(format_hours(once) == text);
    CHECK(config::parse_hours(format_hours(once))->days == once[0].days);
  }
}

TEST_CASE("local days and months begin where the calendar says so") {
  const auto day = [](const char* at, const LocalClock& clock) {
    const Period p = local_day(utc(at), clock);
    return shown(p.begin) + " " + shown(p.end);
  };
  CHECK(day("2026-11-25T13:45:10.500Z", kUtc) == "2026-11-25T00:00:00Z 2026-11-26T00:00:00Z");
  CHECK(day("2026-11-25T00:00:00Z", kUtc) == "2026-11-25T00:00:00Z 2026-11-26T00:00:00Z");
  CHECK(day("2026-11-25T23:59:59.999Z", kUtc) == "2026-11-25T00:00:00Z 2026-11-26T00:00:00Z");
  CHECK(day("2026-03-29T12:00:00Z", kBerlin) == "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z");   // 23 hours
  CHECK(day("2026-10-25T12:00:00Z", kBerlin) == "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");   // 25 hours
  CHECK(day("2026-03-08T12:00:00Z", kHavana) == "2026-03-08T05:00:00Z 2026-03-09T04:00:00Z");
  const Period month = local_month(utc("2026-03-08T12:00:00Z"), kHavana);
  CHECK(shown(month.begin) == "2026-03-01T05:00:00Z");
  CHECK(shown(month.end) == "2026-04-01T04:00:00Z");
  const Period december = local_month(utc("2026-12-31T22:59:59Z"), kBerlin);
  CHECK(shown(december.begin) == "2026-11-30T23:00:00Z");
  CHECK(shown(december.end) == "2026-12-31T23:00:00Z");
}

TEST_CASE("--since takes a time ago, a local day, and a time") {
  const WallTime now = utc("2026-11-25T12:00:00Z");
  CHECK(shown(*parse_since("7d", now, kBerlin)) == "2026-11-18T12:00:00Z");
  CHECK(shown(*parse_since("2026-11-22", now, kBerlin)) == "2026-11-21T23:00:00Z");
  CHECK(shown(*parse_since("2026-03-08", now, kHavana)) == "2026-03-08T05:00:00Z");
  CHECK(shown(*parse_since("2026-11-22T23:10:51Z", now, kBerlin)) == "2026-11-22T23:10:51Z");
  for (const char* bad : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-11-2x", "2026x11x22"}) CHECK_FALSE(parse_since(bad, now, kBerlin));
}
