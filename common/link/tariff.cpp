// SPDX-License-Identifier: MIT
#include "link/tariff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace longline::link {
namespace {

constexpr double kUnit = 1e6;

double per_increment(const config::Tariff& tariff) {
  return tariff.per_minute * kUnit * static_cast<double>(tariff.increment.count()) / 60'000;
}

}  // namespace

Money to_money(double amount) { return std::llround(amount * kUnit); }
double from_money(Money amount) { return static_cast<double>(amount) / kUnit; }
std::string format_money(Money amount) { return fmt::format("{:.2f}", from_money(amount)); }

bool charges_time(const config::Tariff& tariff) { return tariff.per_minute > 0 && tariff.increment.count() > 0; }

Money cost_of(const config::Tariff& tariff, Duration connected) {
  if (!charges_time(tariff)) return to_money(tariff.setup);
  const std::int64_t begun = std::max<std::int64_t>(connected.count(), 0) / tariff.increment.count() + 1;
  return to_money(tariff.setup) + std::llround(per_increment(tariff) * static_cast<double>(begun));
}

Duration affordable(const config::Tariff& tariff, Money money) {
  constexpr Duration kForEver{std::int64_t{10} * 366 * 86'400'000};
  if (money < cost_of(tariff, Duration(0))) return Duration(0);
  if (!charges_time(tariff)) return kForEver;
  // Half a unit of rounding in each direction.
  const double increments = std::floor((static_cast<double>(money - to_money(tariff.setup)) + 0.5) / per_increment(tariff));
  if (increments >= static_cast<double>(kForEver / tariff.increment)) return kForEver;
  return static_cast<std::int64_t>(increments) * tariff.increment;
}

Duration hangup_lead(const config::Tariff& tariff) {
  constexpr Duration kHangUp{3'000};
  return std::min(kHangUp, tariff.increment / 10);
}

TimePoint idle_end(const config::Tariff& tariff, Duration idle, TimePoint connected, TimePoint last_traffic) {
  const TimePoint idle_since = last_traffic + idle;
  if (!charges_time(tariff)) return idle_since;
  const Duration lead = hangup_lead(tariff);
  const Duration from_start = std::max(idle_since + lead - connected, Duration(1));
  const std::int64_t increments = (from_start.count() + tariff.increment.count() - 1) / tariff.increment.count();
  return connected + increments * tariff.increment - lead;
}

}  // namespace longline::link
