// SPDX-License-Identifier: MIT
#include "mail/flush_allowance.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

constexpr TimePoint after_start(std::int64_t ms) { return TimePoint(Duration(1'000'000 + ms)); }

TEST_CASE("without limits anything may be begun") {
  FlushAllowance allowance({}, {});
  allowance.start_session(1, Duration(1'000), after_start(0));
  CHECK_FALSE(allowance.refusal(1'000'000'000, after_start(0)));
}

TEST_CASE("bytes: what would pass the limit is not begun, what still fits is") {
  FlushAllowance allowance(1'000, {});
  CHECK_FALSE(allowance.refusal(1'000, after_start(0)));
  allowance.begin(700);
  CHECK(allowance.refusal(301, after_start(0))->code == Errc::messages_left);
  CHECK_FALSE(allowance.refusal(300, after_start(0)));
  // A new session is the same flush.
  allowance.start_session(0, Duration(0), after_start(0));
  CHECK(allowance.refusal(301, after_start(0)));
}

TEST_CASE("time: at the known rate") {
  FlushAllowance allowance({}, after_start(60'000));
  CHECK_FALSE(allowance.refusal(1'000'000, after_start(0)));   // nothing is known
  allowance.start_session(1'000, Duration(600), after_start(0));
  CHECK_FALSE(allowance.refusal(59'200, after_start(0)));
  CHECK(allowance.refusal(59'201, after_start(0))->code == Errc::deadline);
  // What was begun leaves first.
  allowance.begin(30'000);
  CHECK_FALSE(allowance.refusal(29'200, after_start(0)));
  CHECK(allowance.refusal(29'201, after_start(0)));
  allowance.on_progress(10'000, after_start(10'000));
  CHECK_FALSE(allowance.refusal(29'200, after_start(10'000)));
  CHECK(allowance.refusal(0, after_start(60'000))->code == Errc::deadline);
}

TEST_CASE("time: on a line of which nothing is known, what was answered counts") {
  FlushAllowance allowance({}, after_start(60'000));
  allowance.start_session(0, Duration(0), after_start(0));
  CHECK_FALSE(allowance.refusal(1'000'000, after_start(0)));
  allowance.begin(3'000);
  allowance.begin(3'000);
  // All of it has left, for some buffer; half of it was answered.
  allowance.on_progress(6'200, after_start(100));
  allowance.on_answers(3'000, 100);
  CHECK_FALSE(allowance.refusal(1'000, after_start(100)));
  CHECK(allowance.refusal(3'000, after_start(100))->code == Errc::deadline);
  // In the next session, and where the rate is known, it says nothing.
  allowance.start_session(1'000, Duration(0), after_start(100));
  allowance.on_answers(10, 1);
  CHECK_FALSE(allowance.refusal(30'000, after_start(100)));
}

TEST_CASE("time: what the line shows counts more than what was known") {
  FlushAllowance allowance({}, after_start(60'000));
  allowance.start_session(1'000'000, Duration(0), after_start(0));
  allowance.begin(40'000);
  CHECK_FALSE(allowance.refusal(1'000'000, after_start(0)));
  allowance.on_progress(32'767, after_start(30'000));
  CHECK(allowance.rate() == 1'000'000);
  allowance.on_progress(40'000, after_start(40'000));
  CHECK(allowance.rate() == 1'000);
  CHECK(allowance.refusal(19'801, after_start(40'000)));
  CHECK_FALSE(allowance.refusal(19'800, after_start(40'000)));
}

}  // namespace
}  // namespace longline::mail
