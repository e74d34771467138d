// SPDX-License-Identifier: MIT
// Time as modemsim counts it: nanoseconds since the program began, on the steady clock. Everything below the simulator gets
// the time as an argument; only the simulator asks for it.
#pragma once

#include <chrono>

namespace modemsim {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::nanoseconds;

inline constexpr Instant never = Instant::max();

}  // namespace modemsim
