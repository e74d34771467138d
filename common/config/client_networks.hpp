// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline::config {

/// "192.0.2.7", "2001:db8::7", "fe80::1%eth0": in full, and nothing else.
bool is_ip_address(std::string_view text);

/// Networks of clients: "192.0.2.0/24", "2001:db8::/32", or one address. An IPv4 address that is written as IPv6
/// (::ffff:192.0.2.1) is the IPv4 address.
class ClientNetworks {
 public:
  /// Errc::malformed names the one that is no network: another form, or host bits that are set.
  Result<void> add(std::string_view network);
  /// `address` as the system writes a peer's, without port: "192.0.2.7", "fe80::1%eth0". False for what is no address.
  bool contain(std::string_view address) const;

 private:
  struct Network {
    std::array<unsigned char, 16> address{};
    int length = 128;
  };
  std::vector<Network> networks_;
};

}  // namespace longline::config
