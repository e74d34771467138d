// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "base/time.hpp"

namespace longline {

/// Lets time pass for a machine: every deadline on the way is met, in order, and `drain` takes what the machine does then.
template <class Machine, class Drain>
void let_pass(Machine& machine, TimePoint& now, Duration time, const Drain& drain) {
  const TimePoint end = now + time;
  while (machine.deadline() && *machine.deadline() <= end) {
    now = std::max(now, *machine.deadline());
    machine.on_time(now);
    drain();
  }
  now = end;
}

}  // namespace longline
