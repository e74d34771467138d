// SPDX-License-Identifier: MIT
#pragma once

#include "cellular.hpp"
#include "table_reader.hpp"

namespace modemsim {

// The [gsm] table; there is a cellular modem if the document has one.
CellularScenario read_cellular(TableReader reader);

}  // namespace modemsim
