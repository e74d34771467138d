// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "config/policy.hpp"

namespace longline::link {

/// Money, in millionths of the currency that the tariff is written in: sums of a month must not drift.
using Money = std::int64_t;
Money to_money(double amount);
double from_money(Money amount);
std::string format_money(Money amount);   ///< "1.30"

/// Whether time costs anything: without, paid increments mean nothing.
bool charges_time(const config::Tariff& tariff);
/// A connection of this length: setup, and each increment that was begun; the first begins with CONNECT.
Money cost_of(const config::Tariff& tariff, Duration connected);
/// The longest connection that costs at most `money`; zero when not even the first increment fits.
Duration affordable(const config::Tariff& tariff, Money money);

/// How long before the end of a paid increment the line must be let go, so that the next one is not begun while it hangs up.
Duration hangup_lead(const config::Tariff& tariff);
/// When a line that was last used at `last_traffic` is hung up as idle: after `idle`; where time costs, just before the next
/// increment would begin, since the one that has begun is paid for. Any traffic until then starts anew.
TimePoint idle_end(const config::Tariff& tariff, Duration idle, TimePoint connected, TimePoint last_traffic);

}  // namespace longline::link
