// SPDX-License-Identifier: MIT
// One [[fault]] table.
#pragma once

#include "faults.hpp"
#include "table_reader.hpp"

namespace modemsim {

FaultPlan::Entry read_fault(TableReader reader);

}  // namespace modemsim
