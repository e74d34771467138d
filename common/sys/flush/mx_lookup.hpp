// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "sys/flush/peer_connection.hpp"

namespace longline::sys {

/// Who takes a domain's mail, by DNS.
struct Exchangers {
  struct Refusal {
    std::string enhanced;   ///< RFC 3463
    std::string text;
  };
  std::vector<PeerAddress> addresses;   ///< to be tried in this order
  std::optional<Refusal> refusal{};     ///< mail for the domain can never be delivered: it does not exist, or takes none
};

/// Asks for MX records and, where they name none, for the domain's own addresses (RFC 5321, 5.1; null MX: RFC 7505). Asks the connector's
/// `nameserver`, else the system's; blocks for `patience` at most, but not less than two seconds. `our_name`: of a domain whose exchanger
/// we are, only better ones are named. Errors: Errc::next_hop_unreachable when no name server answered (sys_errno ETIMEDOUT or
/// ECONNREFUSED: none can be reached at all), stage connect.
Result<Exchangers> find_exchangers(const config::Connector& connector, const std::string& domain, const std::string& our_name, Duration patience);

}  // namespace longline::sys
