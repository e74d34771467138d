// SPDX-License-Identifier: MIT
#pragma once

#include "base/time.hpp"

namespace longline::sys {

/// The only functions that ask the system what time it is.
TimePoint steady_now();
WallTime wall_now();
/// Since boot, the time that the machine slept included (CLOCK_BOOTTIME): other processes of this boot can compare with it.
Duration since_boot();

}  // namespace longline::sys
