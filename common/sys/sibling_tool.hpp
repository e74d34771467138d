// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace longline::sys {

/// Another tool of ours: beside the one that runs, or to be found in PATH.
std::string sibling_tool(const char* name);

}  // namespace longline::sys
