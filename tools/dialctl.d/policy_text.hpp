// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/json.hpp"
#include "dialctl.d/verbs.hpp"

namespace longline::tools::dialctl {

/// As JSON has durations.
double seconds(Duration d);

/// The keys hours, urgent-any-hour, backoff, budget and tariff that are set, for `show`.
std::string policy_toml(const config::Link& link);
JsonObject policy_json(const config::Link& link);

/// What has been used of today and this month, and when the next call is allowed, for `plan`.
std::string policy_plan(const World& world, const config::Link& link);
JsonObject policy_plan_json(const World& world, const config::Link& link);

}  // namespace longline::tools::dialctl
