// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::config {

/// Whom a connector with host "mx" asks instead of the system's name servers.
struct NameServer {
  std::string address;   ///< an IP address, without brackets
  int port = 53;
};

/// "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353". Errc::malformed. Whether the address is one is known
/// to who uses it; here only its characters are.
Result<NameServer> parse_name_server(std::string_view text);

}  // namespace longline::config
