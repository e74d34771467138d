// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/json.hpp"
#include "dialctl.d/verbs.hpp"

namespace longline::tools::dialctl {

/// What a call of a PPP link would do beyond its line, for `plan`: how pppd would be started, and the routes and name servers that it would
/// change. Empty for a stream link.
std::string network_plan(const World& world, const config::Link& link);
JsonObject network_plan_json(const World& world, const config::Link& link);

}  // namespace longline::tools::dialctl
