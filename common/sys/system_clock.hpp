// SPDX-License-Identifier: MIT
#pragma once

#include "base/time.hpp"

namespace longline::sys {

/// The only two functions that ask the system what time it is.
TimePoint steady_now();
WallTime wall_now();

}  // namespace longline::sys
