// SPDX-License-Identifier: MIT
#pragma once

#include "link/backoff.hpp"
#include "link/local_time.hpp"

namespace longline::sys {

/// The host's time zone (TZ, /etc/localtime).
link::LocalClock local_clock();
/// Now, by the calendar and since this boot.
link::Moment moment_now();

}  // namespace longline::sys
