// SPDX-License-Identifier: MIT
#include "link/backoff.hpp"

#include <doctest/doctest.h>

#include "unit/zone.hpp"

using namespace longline;
using namespace longline::link;

namespace {

constexpr Duration kMinute{60'000};
constexpr Duration kHour = 60 * kMinute;
const config::Backoff kBackoff{10 * kMinute, 6 * kHour};
const Error kBusy(Errc::line_busy, "busy", Stage::dial);

Moment moment(Duration since_start, const char* boot = "a") { return {utc("2026-11-25T12:00:00Z") + since_start, kHour + since_start, boot}; }

CallVerdict verdict(std::optional<Errc> code, std::optional<Duration> up = std::nullopt, bool nothing = false) {
  return judge({code ? std::optional(Error(*code, "x")) : std::nullopt, up.has_value(), up.value_or(Duration(0)), nothing});
}

}  // namespace

TEST_CASE("backoff: ten minutes, then ten more each time, to the longest") {
  std::optional<BackoffState> state;
  for (int i = 1; i <= 50; ++i) {
    state = after_failure(kBackoff, state, CallVerdict::failure, kBusy, moment(Duration(0)), 0);
    CHECK(state->failures == i);
    CHECK(state->wait == std::min(i * 10 * kMinute, 6 * kHour));
  }
  // Jitter: up from the first, down from the longest, never out of the range.
  CHECK(after_failure(kBackoff, std::nullopt, CallVerdict::failure, kBusy, moment(Duration(0)), 1).wait == 11 * kMinute);
  CHECK(after_failure(kBackoff, state, CallVerdict::failure, kBusy, moment(Duration(0)), 1).wait == 6 * kHour - 36 * kMinute);
  CHECK(after_failure({kMinute, kMinute}, state, CallVerdict::failure, kBusy, moment(Duration(0)), 0.7).wait == kMinute);
  for (int failures = 1; failures < 60; ++failures) {
    BackoffState before;
    before.failures = failures;
    const Duration wait = after_failure(kBackoff, before, CallVerdict::failure, kBusy, moment(Duration(0)), 0.99).wait;
    CHECK(wait >= kBackoff.first);
    CHECK(wait <= kBackoff.longest);
  }
  BackoffState most;
  most.failures = 2'000'000'000;
  CHECK(after_failure(kBackoff, most, CallVerdict::failure, kBusy, moment(Duration(0)), 0).failures == 1'000'000);
}

TEST_CASE("backoff: what a person should look at waits for longest at once, a refused PIN for good") {
  CHECK(after_failure(kBackoff, std::nullopt, CallVerdict::person, kBusy, moment(Duration(0)), 0).wait == 6 * kHour);
  CHECK_FALSE(after_failure(kBackoff, std::nullopt, CallVerdict::person, kBusy, moment(Duration(0)), 0).for_good);
  CHECK(after_failure(kBackoff, std::nullopt, CallVerdict::for_good, kBusy, moment(Duration(0)), 0).for_good);
  for (const Errc code : {Errc::no_dial_tone, Errc::auth_refused, Errc::login_failed, Errc::sim_missing, Errc::registration_denied}) {
    CHECK(verdict(code) == CallVerdict::person);
  }
  CHECK(verdict(Errc::sim_pin_refused) == CallVerdict::for_good);
}

TEST_CASE("backoff: what counts as a failure") {
  for (const Errc code : {Errc::line_busy, Errc::no_answer, Errc::no_carrier, Errc::voice_answer, Errc::dial_timeout, Errc::login_timeout,
                          Errc::modem_silent, Errc::line_dropped, Errc::ppp_timeout, Errc::not_registered, Errc::no_address}) {
    CAPTURE(to_string(code));
    CHECK(verdict(code) == CallVerdict::failure);
  }
  for (const Errc code : {Errc::interrupted, Errc::port_in_use, Errc::config, Errc::deadline, Errc::no_device, Errc::no_ppp}) {
    CAPTURE(to_string(code));
    CHECK(verdict(code) == CallVerdict::neutral);
  }
  CHECK(verdict(std::nullopt) == CallVerdict::neutral);                            // given up before it was up
  CHECK(verdict(std::nullopt, Duration(1)) == CallVerdict::success);               // up, and ended as asked
  CHECK(verdict(Errc::line_dropped, Duration(5'000)) == CallVerdict::failure);     // flapping
  CHECK(verdict(Errc::peer_ended_ppp, Duration(5'000)) == CallVerdict::failure);
  CHECK(verdict(Errc::line_dropped, Duration(30'000)) == CallVerdict::success);
  CHECK(verdict(Errc::interrupted, Duration(5'000)) == CallVerdict::success);
  CHECK(verdict(Errc::idle_timeout, Duration(5'000)) == CallVerdict::success);
  CHECK(verdict(Errc::call_limit, Duration(5'000)) == CallVerdict::success);
  CHECK(verdict(std::nullopt, 10 * kMinute, true) == CallVerdict::failure);        // mail was due, nothing moved
}

TEST_CASE("backoff: how long is left, whatever the clocks do") {
  const BackoffState state = after_failure(kBackoff, std::nullopt, CallVerdict::failure, kBusy, moment(Duration(0)), 0);
  CHECK(remaining(state, kBackoff, moment(Duration(0))) == 10 * kMinute);
  CHECK(remaining(state, kBackoff, moment(4 * kMinute)) == 6 * kMinute);
  CHECK(remaining(state, kBackoff, moment(10 * kMinute)) == Duration(0));
  constexpr Duration kYear{365 * 86'400'000LL};
  // The calendar jumps within a boot: the other clock knows. Forward: it is over.
  Moment jumped = moment(4 * kMinute);
  jumped.wall -= kYear;
  CHECK(remaining(state, kBackoff, jumped) == 6 * kMinute);
  CHECK_FALSE(needs_new_start(state, jumped));
  jumped.wall += 2 * kYear;
  CHECK(remaining(state, kBackoff, jumped) == Duration(0));
  // Across a boot: the calendar alone; what it makes of the future is at most one wait, which starts anew.
  CHECK(remaining(state, kBackoff, moment(4 * kMinute, "b")) == 6 * kMinute);
  Moment back = moment(Duration(0), "b");
  back.wall -= kYear;
  CHECK(remaining(state, kBackoff, back) == 10 * kMinute);
  CHECK(needs_new_start(state, back));
  BackoffState anew = state;
  anew.since = back;
  back.wall += 10 * kMinute;
  CHECK(remaining(anew, kBackoff, back) == Duration(0));
  // A shorter configuration holds at once; a stored wait from nowhere does too.
  CHECK(remaining(state, {kMinute, kMinute}, moment(Duration(0))) == kMinute);
  BackoffState broken = state;
  broken.wait = Duration(-5);
  CHECK(remaining(broken, kBackoff, moment(Duration(0))) == Duration(0));
  broken.wait = 1000 * kYear;
  CHECK(remaining(broken, kBackoff, moment(Duration(0))) == 6 * kHour);
}

TEST_CASE("a flapping line is dialled at most three times in its first ten minutes") {
  for (const char* text : {"10m..6h", "5m..1h", "10m"}) {
    CAPTURE(text);
    const config::Backoff backoff = *config::parse_backoff(text);
    std::optional<BackoffState> state;
    int dialled = 0;
    // Somebody asks every second; a call takes 20 s to come up, and is up for 5.
    for (Duration now{0}; now < 10 * kMinute;) {
      if (state && remaining(*state, backoff, moment(now)) > Duration(0)) {
        now += Duration(1'000);
        continue;
      }
      ++dialled;
      now += Duration(25'000);
      const CallOutcome outcome{Error(Errc::line_dropped, "the line dropped after 5s", Stage::transfer), true, Duration(5'000)};
      REQUIRE(judge(outcome) == CallVerdict::failure);
      state = after_failure(backoff, state, CallVerdict::failure, *outcome.error, moment(now), 0);
    }
    CHECK(dialled >= 1);
    CHECK(dialled <= 3);
  }
}
