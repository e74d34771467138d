// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::config {

/// The addresses of a link's `pool`: an IPv4 network whose first host is our end and whose other hosts are for callers, 5 of them in a
/// /29, 253 in a /24 (KB Q255991). Addresses are numbers in host byte order.
class AddressPool {
 public:
  /// "192.168.1.0/29", /16 to /30. Errc::malformed says what is wrong: another form, host bits that are set, a network that no caller
  /// can have an address of (0, 127, multicast and above).
  static Result<AddressPool> parse(std::string_view text);

  std::uint32_t our_end() const { return network_ + 1; }
  int callers() const { return (1 << (32 - length_)) - 3; }
  std::uint32_t caller(int index) const { return network_ + 2 + static_cast<std::uint32_t>(index); }   ///< 0 … callers() - 1
  bool operator==(const AddressPool&) const = default;

 private:
  AddressPool(std::uint32_t network, int length) : network_(network), length_(length) {}
  std::uint32_t network_;
  int length_;
};

std::string format_ipv4(std::uint32_t address);   ///< "192.168.1.1"

}  // namespace longline::config
