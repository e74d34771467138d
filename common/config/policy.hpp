// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::config {

constexpr std::array<std::string_view, 7> kDayNames = {"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"};

/// When a link may call: "Mo-Fr 06:00-22:00". Local time; both ends of the days belong to it, 24:00 is the day's end.
struct Hours {
  unsigned days = 0;        ///< bit 0 is Sunday, as in the dial-out hours of RRAS
  int from = 0;             ///< minutes after midnight
  int until = 24 * 60;      ///< exclusive; after `from`
};

/// Unreachable for so long after all attempts failed: "10m..6h", or one time for both.
struct Backoff {
  Duration first{};
  Duration longest{};
};

/// Absent: no limit.
struct Budget {
  std::optional<std::int64_t> calls_per_day;
  std::optional<std::int64_t> minutes_per_day;
  std::optional<std::int64_t> minutes_per_month;
  std::optional<double> cost_per_month;
};

struct Tariff {
  double setup = 0;
  double per_minute = 0;
  Duration increment{60'000};
};

/// Errc::malformed with what is wrong.
Result<Hours> parse_hours(std::string_view text);
Result<Backoff> parse_backoff(std::string_view text);

/// Why an option of pppd must not stand in ppp-options: it would take pppd out of the supervisor's hands. "" when it may.
std::string_view objection_to_ppp_option(std::string_view option);

}  // namespace longline::config
