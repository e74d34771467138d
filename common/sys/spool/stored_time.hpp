// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"

/// Times in the columns of the spool: milliseconds since 1970.
namespace longline::sys {

constexpr std::int64_t kDay = 86'400'000;

inline std::int64_t milliseconds(WallTime t) { return t.time_since_epoch().count(); }
inline WallTime wall_time(std::int64_t ms) { return WallTime(Duration(ms)); }
inline std::optional<WallTime> wall_time(const std::optional<std::int64_t>& ms) { return ms ? std::optional(wall_time(*ms)) : std::nullopt; }

}  // namespace longline::sys
