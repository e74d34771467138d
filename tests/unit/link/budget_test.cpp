// SPDX-License-Identifier: MIT
#include "link/budget.hpp"

#include <doctest/doctest.h>

#include "unit/zone.hpp"

using namespace longline;
using namespace longline::link;

namespace {

constexpr Duration kMinuteOfCalls{60'000};
const config::Tariff kTariff{0.10, 0.05, kMinuteOfCalls};

}  // namespace

TEST_CASE("tariff: every increment that was begun costs") {
  CHECK(cost_of(kTariff, Duration(0)) == to_money(0.15));
  CHECK(cost_of(kTariff, Duration(59'999)) == to_money(0.15));
  CHECK(cost_of(kTariff, kMinuteOfCalls) == to_money(0.20));
  CHECK(cost_of(kTariff, 60 * kMinuteOfCalls - Duration(1)) == to_money(3.10));
  CHECK(cost_of({0, 0.06, Duration(10'000)}, Duration(25'000)) == to_money(0.03));
  CHECK(cost_of({0.25, 0, kMinuteOfCalls}, 60 * kMinuteOfCalls) == to_money(0.25));
  CHECK(cost_of({}, 60 * kMinuteOfCalls) == 0);
  CHECK(format_money(to_money(1.3)) == "1.30");
  // A month of calls of one cent does not drift.
  Money sum = 0;
  for (int i = 0; i < 3000; ++i) sum += cost_of({0.01, 0, kMinuteOfCalls}, kMinuteOfCalls);
  CHECK(sum == to_money(30));
}

TEST_CASE("tariff: how long the money lasts") {
  CHECK(affordable(kTariff, to_money(0.14)) == Duration(0));
  CHECK(affordable(kTariff, to_money(0.15)) == kMinuteOfCalls);
  CHECK(affordable(kTariff, to_money(0.3499)) == 4 * kMinuteOfCalls);
  CHECK(affordable(kTariff, to_money(0.35)) == 5 * kMinuteOfCalls);
  CHECK(affordable({0.10, 0, kMinuteOfCalls}, to_money(0.10)) > Duration(365 * 86'400'000LL));
  for (const double price : {0.01, 0.03, 0.07, 0.11, 1.0 / 3}) {
    const config::Tariff tariff{0.1, price, Duration(7'000)};
    for (int i = 1; i < 200; ++i) {
      const Duration almost = i * tariff.increment - Duration(1);
      CHECK(affordable(tariff, cost_of(tariff, almost)) == i * tariff.increment);
      CHECK(affordable(tariff, cost_of(tariff, almost) - 2) == (i - 1) * tariff.increment);
    }
  }
}

TEST_CASE("idle: what is paid for is used, the next increment is not begun") {
  const TimePoint start{Duration(1'000'000)};
  const auto end = [&](Duration last, Duration idle, const config::Tariff& tariff) { return idle_end(tariff, idle, start, start + last) - start; };
  constexpr Duration kSecond{1'000};
  CHECK(end(10 * kSecond, 30 * kSecond, {}) == 40 * kSecond);
  CHECK(end(10 * kSecond, 30 * kSecond, {0.5, 0, kMinuteOfCalls}) == 40 * kSecond);
  CHECK(end(10 * kSecond, 30 * kSecond, kTariff) == 57 * kSecond);
  CHECK(end(27 * kSecond, 30 * kSecond, kTariff) == 57 * kSecond);
  CHECK(end(27 * kSecond + Duration(1), 30 * kSecond, kTariff) == 117 * kSecond);
  CHECK(end(58 * kSecond, 30 * kSecond, kTariff) == 117 * kSecond);
  CHECK(end(0 * kSecond, 300 * kSecond, kTariff) == 357 * kSecond);
  CHECK(end(0 * kSecond, kSecond, {0, 0.05, 10 * kSecond}) == 9 * kSecond);
  // Never before the idle time is over, never more than one increment behind it.
  for (int last = 0; last < 200; ++last) {
    const Duration at = end(last * kSecond, 30 * kSecond, kTariff), idle = (last + 30) * kSecond;
    CHECK(at >= idle);
    CHECK(at < idle + kMinuteOfCalls);
    CHECK((at + 3 * kSecond) % kMinuteOfCalls == Duration(0));
  }
}

TEST_CASE("budget: what is spent, and until when") {
  config::Budget budget;
  CHECK_FALSE(spent(budget, kTariff, {1'000'000, Duration(1LL << 50), Duration(1LL << 50), to_money(1e6)}));
  budget.calls_per_day = 3;
  CHECK_FALSE(spent(budget, kTariff, {2}));
  CHECK(spent(budget, kTariff, {3})->what == "3 of 3 calls-per-day");
  CHECK(spent(budget, kTariff, {3})->until == Spent::Until::tomorrow);
  budget.minutes_per_day = 10;
  CHECK_FALSE(spent(budget, kTariff, {0, Duration(590'000)}));
  CHECK(spent(budget, kTariff, {0, Duration(590'001)}));
  budget.minutes_per_month = 60;
  CHECK(spent(budget, kTariff, {3, 10 * kMinuteOfCalls, 60 * kMinuteOfCalls})->until == Spent::Until::next_month);
  budget = {};
  budget.cost_per_month = 1.0;
  CHECK_FALSE(spent(budget, kTariff, {0, {}, {}, to_money(0.85)}));
  CHECK(spent(budget, kTariff, {0, {}, {}, to_money(0.851)})->what == "0.85 of 1.00 cost-per-month, and a call costs at least 0.15");
  CHECK_FALSE(spent(budget, {}, {0, {}, {}, to_money(5)}));
  budget.cost_per_month = 0.1;
  CHECK(spent(budget, kTariff, {})->until == Spent::Until::for_ever);
  budget = {};
  budget.calls_per_day = 0;
  CHECK(spent(budget, kTariff, {})->until == Spent::Until::for_ever);
}

TEST_CASE("budget: how much longer a call may last") {
  const WallTime now = utc("2026-11-25T12:00:00Z");
  const Period day = local_day(now, kUtc), month = local_month(now, kUtc);
  config::Budget budget;
  const auto left = [&](Usage others, Duration connected, WallTime at) {
    const std::optional<Duration> d = time_left(budget, kTariff, others, connected, at, day, month);
    return d ? d->count() / 1000 : -1;
  };
  CHECK(left({}, kMinuteOfCalls, now) == -1);
  budget.minutes_per_day = 10;
  CHECK(left({1, 4 * kMinuteOfCalls}, kMinuteOfCalls, now) == 300);
  CHECK(left({1, 10 * kMinuteOfCalls}, kMinuteOfCalls, now) == -60);
  // Of the call's own ten minutes only those since midnight count today.
  CHECK(left({}, 10 * kMinuteOfCalls, day.begin + 2 * kMinuteOfCalls) == 480);
  // Midnight comes first.
  CHECK(left({}, Duration(0), day.end - 9 * kMinuteOfCalls) == -1);
  CHECK(left({}, Duration(0), day.end - 10 * kMinuteOfCalls) == 600);
  budget.minutes_per_month = 15;
  CHECK(left({1, 4 * kMinuteOfCalls, 12 * kMinuteOfCalls}, kMinuteOfCalls, now) == 120);
  budget = {};
  budget.cost_per_month = 1.0;
  // 0.10 + n × 0.05 fit into what is left; the line is let go three seconds before the next.
  CHECK(left({0, {}, {}, to_money(0.50)}, kMinuteOfCalls, now) == 8 * 60 - 3 - 60);
  CHECK(left({0, {}, {}, to_money(0.99)}, kMinuteOfCalls, now) == -63);
}
