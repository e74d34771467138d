// SPDX-License-Identifier: MIT
#include "faults.hpp"

namespace modemsim {

Faults FaultPlan::for_open(int open) const {
  Faults faults;
  for (const Entry& entry : entries_) {
    if (entry.call || (entry.open && *entry.open != open)) continue;
    for (const auto& change : entry.changes) change(faults);
  }
  return faults;
}

Faults FaultPlan::for_call(int call, int open) const {
  Faults faults;
  for (const Entry& entry : entries_) {
    if ((entry.call && *entry.call != call) || (entry.open && *entry.open != open)) continue;
    for (const auto& change : entry.changes) change(faults);
  }
  return faults;
}

}  // namespace modemsim
