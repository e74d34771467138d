// SPDX-License-Identifier: MIT
#include "base/time.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace longline;

TEST_CASE("durations are read as people write them") {
  CHECK(*parse_duration("90") == Duration(90'000));
  CHECK(*parse_duration("500ms") == Duration(500));
  CHECK(*parse_duration("1h30m") == Duration(5'400'000));
  CHECK(*parse_duration("5d") == Duration(432'000'000));
  for (const char* bad : {"", "s", "-5s", "5 s", "5x", "1h30", "99999w", "99999999999999999999s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad));
  }
}

TEST_CASE("durations may have a fraction, exactly") {
  CHECK(*parse_duration("0.2s") == Duration(200));
  CHECK(*parse_duration("1.5h") == Duration(5'400'000));
  CHECK(*parse_duration("1.5") == Duration(1'500));
  CHECK(*parse_duration("0.1d") == Duration(8'640'000));
  CHECK(*parse_duration("1.5h0.5m") == Duration(5'430'000));
  CHECK(*parse_duration("0.001s") == Duration(1));
  CHECK(*parse_duration("1.0009s") == Duration(1'000));
  CHECK(*parse_duration("0.0s") == Duration(0));
  CHECK(*parse_duration("0.3w") == Duration(181'440'000));
  CHECK(*parse_duration("3660.0d") == Duration(3660LL * 86'400'000));
  for (const char* bad : {"1.", "1.s", ".5", ".5s", "1.5.2", "1.5.2s", "1e3", "1e3s", "1.5e3s", "1..5s", "1,5s", "0.0001s", "1.5ms", "0.0000000001d",
                          "1.5h30", "3660.1d", "3660d0.1s", "99999999999999999999.5s", "1.5-s", "+1.5s", "-1.5s", "1. 5s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad));
  }
}

TEST_CASE("a formatted duration reads back as itself") {
  for (const long ms : {0L, 1L, 999L, 1000L, 61'001L, 5'400'000L, 432'000'000L, 90'061'001L}) {
    CHECK(*parse_duration(format_duration(Duration(ms))) == Duration(ms));
  }
  CHECK(format_duration(Duration(90'000)) == "1m30s");
}

TEST_CASE("wall times in both forms") {
  const WallTime t = *parse_iso8601("2026-11-22T23:10:51Z");
  CHECK(format_iso8601(t) == "2026-11-22T23:10:51Z");
  CHECK(format_iso8601(t + Duration(7)) == "2026-11-22T23:10:51.007Z");
  CHECK(*parse_iso8601("2026-11-22T23:10:51.007Z") == t + Duration(7));
  CHECK(format_rfc5322(t) == "Sun, 22 Nov 2026 23:10:51 +0000");
  for (const char* bad : {"", "2026-11-22", "2026-13-22T23:10:51Z", "2026-02-30T00:00:00Z", "2026-11-22T25:00:00Z"}) {
    CHECK_FALSE(parse_iso8601(bad));
  }
}

TEST_CASE("wall times far from now") {
  const auto at = [](std::int64_t ms) { return format_iso8601(WallTime(Duration(ms))); };
  CHECK(at(0) == "1970-01-01T00:00:00Z");
  CHECK(at(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(at(1'798'761'599'099) == "2026-12-31T23:59:59.099Z");
  CHECK(at(951'782'400'000) == "2000-02-29T00:00:00Z");
  CHECK(at(253'402'300'799'999) == "9999-12-31T23:59:59.999Z");
  CHECK(at(253'402'300'800'000) == "10000-01-01T00:00:00Z");
  CHECK(at(971'890'963'199'001) == "32767-12-31T23:59:59.001Z");
  CHECK(at(-62'135'596'800'000) == "0001-01-01T00:00:00Z");
  CHECK(at(-62'167'219'200'000) == "0000-01-01T00:00:00Z");
  CHECK(at(-62'167'219'200'001) == "-001-12-31T23:59:59.999Z");
  CHECK(at(-1'000'000'000'000'000).starts_with("-29719-"));
  // Whatever a damaged file says, it is a text.
  for (const std::int64_t ms : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    CHECK(at(ms).size() <= 29);
    CHECK(at(ms).ends_with("Z"));
  }
}
