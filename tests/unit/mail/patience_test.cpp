// SPDX-License-Identifier: MIT
#include "mail/patience.hpp"

#include <doctest/doctest.h>

#include "unit/zone.hpp"

namespace longline::mail {
namespace {

constexpr Duration kWholeDay{86'400'000};

TEST_CASE("only time in which link and connector could be used expires a message") {
  config::Config config;
  config.links.resize(1);
  config.links[0].name = "isp";
  config.links[0].hours = {*config::parse_hours("Mo-Fr 06:00-18:00")};
  config.connectors.resize(2);
  config.connectors[0].link = "isp";
  config.connectors[0].expire = kWholeDay;   // two days of twelve hours
  config.connectors[1].expire = kWholeDay;
  Patience patience(config, kUtc);
  const WallTime friday = utc("2026-11-27T06:00:00Z");
  CHECK(patience.expires(config.connectors[0], friday) == utc("2026-11-30T18:00:00Z"));
  CHECK(patience.expires(config.connectors[1], friday) == utc("2026-11-28T06:00:00Z"));
  CHECK_FALSE(patience.is_over(config.connectors[0], friday, kWholeDay, utc("2026-11-30T17:59:59Z")));
  CHECK(patience.is_over(config.connectors[0], friday, kWholeDay, utc("2026-11-30T18:00:00Z")));
  CHECK(patience.is_over(config.connectors[1], friday, kWholeDay, utc("2026-11-28T06:00:00Z")));
}

TEST_CASE("a time of arrival that cannot be expires nothing") {
  config::Config config;
  config.connectors.resize(1);
  Patience patience(config, kUtc);
  const WallTime now(Duration(1'800'000'000'000));
  CHECK(patience.is_over(config.connectors[0], now - kWholeDay, kWholeDay, now));
  CHECK_FALSE(patience.is_over(config.connectors[0], now - kWholeDay + Duration(1), kWholeDay, now));
  CHECK_FALSE(patience.is_over(config.connectors[0], WallTime(Duration(5'000)), kWholeDay, now));
  CHECK_FALSE(patience.is_over(config.connectors[0], now + kWholeDay, kWholeDay, now));
}

}  // namespace
}  // namespace longline::mail
