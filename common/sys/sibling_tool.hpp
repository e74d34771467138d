// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace longline::sys {

/// Another tool of ours: beside the one that runs, or to be found in PATH.
std::string sibling_tool(const char* name);

/// `routeadd [TOOL OPTIONS] --quiet WORDS`. `tool_options`: --config and --root, as they were given to us.
std::vector<std::string> routeadd_command(const std::vector<std::string>& tool_options, const std::vector<std::string>& words);

}  // namespace longline::sys
