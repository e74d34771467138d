// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/local_time.hpp"
#include "config/policy.hpp"

namespace longline::config {

/// Whether a call is allowed at this time of the week. Without any hours it always is.
bool within_hours(const std::vector<Hours>& hours, const LocalTime& at);

/// When the next call is allowed: `from` itself, or the first minute after it. nullopt: not in the next eight days.
std::optional<WallTime> next_within(const std::vector<Hours>& hours, WallTime from, const LocalClock& clock);
/// When the hours that `from` lies in end; `from` itself outside of them. nullopt: not in the next eight days.
std::optional<WallTime> end_of_hours(const std::vector<Hours>& hours, WallTime from, const LocalClock& clock);

/// "Mo-Fr 06:00-22:00, Sa 08:00-12:00", as parse_hours() reads it.
std::string format_hours(const std::vector<Hours>& hours);

}  // namespace longline::config
