// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace longline::sys {

/// Runs a link's `on-failure` and waits for its end: at most a minute, then it and its children get SIGTERM, two seconds later
/// SIGKILL. It has /dev/null for its stdio, a session of its own, and LONGLINE_LINK, LONGLINE_ERROR, LONGLINE_CODE in its
/// environment. When `stop_fd` becomes readable (a signal for us) the minute is over at once. One that cannot be run is given
/// up: a lamp that does not light must not keep the next call.
void run_failure_hook(const std::vector<std::string>& argv, const std::string& link, const Error& error, int stop_fd);

}  // namespace longline::sys
