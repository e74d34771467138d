// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "route/check.hpp"
#include "sys/state_paths.hpp"

/// What the checks of routes have to know of links; routeadd and dialctl judge by the same.
namespace longline::sys {

/// The states of these links: what `routeadd up` and `down` recorded since boot, else what their supervisors say. `config` may be null.
route::LinkStates link_states(const std::vector<std::string>& links, const config::Config* config, const StatePaths& paths);
std::vector<route::LinkFacts> link_facts(const config::Config& config);

/// The text of the routes of the last apply, add or del since boot; nullopt before the first.
std::optional<std::string> routes_in_force(const StatePaths& paths);
std::string in_force_path(const StatePaths& paths);
/// As it stands in that file.
std::string whole_file_in_force(std::string_view text);

}  // namespace longline::sys
