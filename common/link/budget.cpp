// SPDX-License-Identifier: MIT
#include "link/budget.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace longline::link {
namespace {

/// A call that cannot even log in is money for nothing.
constexpr Duration kWorthACall{10'000};

Duration minutes(std::int64_t count) { return std::chrono::minutes(count); }

std::string of_minutes(Duration used, std::int64_t limit, std::string_view key) {
  return fmt::format("{} of {} {}", used.count() / 60'000, limit, key);
}

}  // namespace

std::optional<Spent> spent(const config::Budget& budget, const config::Tariff& tariff, const Usage& usage) {
  std::optional<Spent> found;
  const auto note = [&](bool is_spent, bool never, Spent::Until until, auto&& what) {
    if (!is_spent) return;
    if (never) until = Spent::Until::for_ever;
    if (!found || until > found->until) found = Spent{what(), until};
  };
  if (const auto limit = budget.calls_per_day) {
    note(usage.calls_today >= *limit, *limit == 0, Spent::Until::tomorrow,
         [&] { return fmt::format("{} of {} calls-per-day", usage.calls_today, *limit); });
  }
  if (const auto limit = budget.minutes_per_day) {
    note(usage.today + kWorthACall > minutes(*limit), *limit == 0, Spent::Until::tomorrow,
         [&] { return of_minutes(usage.today, *limit, "minutes-per-day"); });
  }
  if (const auto limit = budget.minutes_per_month) {
    note(usage.month + kWorthACall > minutes(*limit), *limit == 0, Spent::Until::next_month,
         [&] { return of_minutes(usage.month, *limit, "minutes-per-month"); });
  }
  if (const auto limit = budget.cost_per_month) {
    const Money least = cost_of(tariff, Duration(0));
    const Money most = to_money(*limit);
    // A limit of nothing forbids what costs, not what is free.
    note(least > 0 && usage.cost_month + least > most, least > most, Spent::Until::next_month, [&] {
      return fmt::format("{} of {} cost-per-month, and a call costs at least {}", format_money(usage.cost_month), format_money(most),
                         format_money(least));
    });
  }
  return found;
}

std::optional<Duration> time_left(const config::Budget& budget, const config::Tariff& tariff, const Usage& others, Duration connected,
                                  WallTime now, const Period& day, const Period& month) {
  std::optional<Duration> left;
  const auto at_most = [&](Duration d) { left = std::min(left.value_or(d), d); };
  const auto of_period = [&](const std::optional<std::int64_t>& limit, Duration used, const Period& period) {
    if (!limit) return;
    const Duration rest = minutes(*limit) - used - std::min(connected, now - period.begin);
    if (now + rest <= period.end) at_most(rest);
  };
  of_period(budget.minutes_per_day, others.today, day);
  of_period(budget.minutes_per_month, others.month, month);
  if (budget.cost_per_month && charges_time(tariff)) {
    at_most(affordable(tariff, to_money(*budget.cost_per_month) - others.cost_month) - hangup_lead(tariff) - connected);
  }
  return left;
}

}  // namespace longline::link
