// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "config/config.hpp"

namespace longline::mail {

/// What is allowed in a configuration and yet keeps mail from moving: names that a peer will not like (KB Q158279), connectors that cannot be
/// used, retrievals whose mail would be refused, open relays. `where` of a finding is the connector's, or the whole file.
struct ConfigFinding {
  Severity severity = Severity::warning;
  std::string code;
  Where where;
  std::string connector;   ///< "" for the configuration as a whole
  std::string message;
  std::string advice;
};

/// `host`: the host's own name, as `helo` defaults to.
std::vector<ConfigFinding> check_config(const config::Config& config, const std::string& host);

}  // namespace longline::mail
