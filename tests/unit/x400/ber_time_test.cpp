// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "x400/ber.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

WallTime time_at(std::string_view iso) { return *parse_iso8601(iso); }

std::string utc(std::string_view text) {
  const auto time = decode_utc_time(text);
  return time ? format_iso8601(*time) : "error";
}

std::string generalized(std::string_view text) {
  const auto time = decode_generalized_time(text);
  return time ? format_iso8601(*time) : "error";
}

}  // namespace

TEST_CASE("UTCTime") {
  CHECK(encode_utc_time(time_at("2026-11-22T23:10:51Z")) == "261122231051Z");
  CHECK(encode_utc_time(time_at("1950-01-01T00:00:00Z")) == "500101000000Z");
  CHECK(encode_utc_time(time_at("1949-12-31T23:59:59Z")) == "500101000000Z");
  CHECK(encode_utc_time(time_at("2077-01-01T00:00:00Z")) == "491231235959Z");
  CHECK(utc("261122231051Z") == "2026-11-22T23:10:51Z");
  CHECK(utc("2611222310Z") == "2026-11-22T23:10:00Z");
  CHECK(utc("261122231051+0130") == "2026-11-22T21:40:51Z");
  CHECK(utc("2611222310-0800") == "2026-11-23T07:10:00Z");
  CHECK(utc("491231235959Z") == "2049-12-31T23:59:59Z");
  CHECK(utc("500101000000Z") == "1950-01-01T00:00:00Z");
  CHECK(utc("000229000000Z") == "2000-02-29T00:00:00Z");
  for (const char* bad : {"", "Z", "261122", "2611222310", "261122231051", "261122231051z", "261122231051ZZ", "261322231051Z", "260229000000Z",
                          "261122241051Z", "261122236051Z", "2611222310512Z", "261122231051+2", "261122231051+9900", "261122231051.5Z", "-61122231051Z"}) {
    CAPTURE(bad);
    CHECK(utc(bad) == "error");
  }
}

TEST_CASE("GeneralizedTime") {
  CHECK(encode_generalized_time(time_at("2026-11-22T23:10:51Z")) == "20261122231051Z");
  CHECK(generalized("20261122231051Z") == "2026-11-22T23:10:51Z");
  CHECK(generalized("20261122231051.25Z") == "2026-11-22T23:10:51.250Z");
  CHECK(generalized("20261122231051,1234567+01") == "2026-11-22T22:10:51.123Z");
  CHECK(generalized("2026112223") == "2026-11-22T23:00:00Z");
  CHECK(generalized("202611222310-0200") == "2026-11-23T01:10:00Z");
  for (const char* bad : {"", "2026", "20261122", "20261122231051.Z", "20261122231051Y", "20260230000000Z"}) {
    CAPTURE(bad);
    CHECK(generalized(bad) == "error");
  }
}

TEST_CASE("every part of a time's text is refused or a time") {
  const std::string text = "261122231051+0130";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string part = text.substr(0, i);
    CHECK((utc(part) == "error") == (i != 15));
  }
}
