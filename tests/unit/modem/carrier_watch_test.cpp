// SPDX-License-Identifier: MIT
#include "modem/carrier_watch.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::modem;

namespace {
constexpr TimePoint kNow{Duration(1'000)};
}

TEST_CASE("NO CARRIER and a second of silence is the end, at every split, and never reaches the client") {
  const std::string text = "250 ok\r\n\r\nNO CARRIER\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CarrierWatch watch;
    std::string data = watch.feed(text.substr(0, cut), kNow);
    data += watch.feed(text.substr(cut), kNow + Duration(10));
    CHECK(data == "250 ok\r\n");
    REQUIRE(watch.deadline());
    CHECK(watch.suspects());
    CHECK(watch.on_time(kNow + Duration(900)) == CarrierWatch::Verdict::nothing);
    CHECK(watch.on_time(*watch.deadline()) == CarrierWatch::Verdict::lost);
  }
}

TEST_CASE("mail may hold the words: they pass unharmed, at every split") {
  const std::string text = "NO CARRIER\r\nwas on the screen\r\n\r\n\r\nNO CARRIER\r\n\r\nNO CARRIERS\r\nNO DOUBT";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CarrierWatch watch;
    std::string data = watch.feed(text.substr(0, cut), kNow);
    data += watch.feed(text.substr(cut), kNow);
    CHECK(data == text);
  }
}

TEST_CASE("words within a line are data, and are not held") {
  CarrierWatch watch;
  CHECK(watch.feed("say NO CARRIER\r\n", kNow) == "say NO CARRIER\r\n");
  CHECK_FALSE(watch.deadline());
}

TEST_CASE("the start of the words is released after a second") {
  CarrierWatch watch;
  CHECK(watch.feed("a\nNO", kNow) == "a\n");
  CHECK_FALSE(watch.suspects());
  CHECK(watch.on_time(kNow + Duration(1'000)) == CarrierWatch::Verdict::released);
  CHECK(watch.take() == "NO");
  CHECK(watch.feed("T\r\n", kNow) == "T\r\n");
}
