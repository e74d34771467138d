// SPDX-License-Identifier: MIT
#include "sys/system_clock.hpp"

namespace longline::sys {

TimePoint steady_now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
WallTime wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

}  // namespace longline::sys
