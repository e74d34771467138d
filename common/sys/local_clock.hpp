// SPDX-License-Identifier: MIT
#pragma once

#include "base/local_time.hpp"
#include "link/backoff.hpp"

namespace longline::sys {

/// The host's time zone (TZ, /etc/localtime).
LocalClock local_clock();
/// Now, by the calendar and since this boot.
link::Moment moment_now();

}  // namespace longline::sys
