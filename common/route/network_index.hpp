// SPDX-License-Identifier: MIT
#pragma once

#include <bitset>
#include <optional>

#include "route/route_key.hpp"

namespace longline::route {

/// Networks of interfaces, asked which of them covers an address. One look-up for each length that occurs, however many
/// networks there are.
class NetworkIndex {
 public:
  explicit NetworkIndex(std::size_t expected = 0) : index_(expected) {}
  /// `value` is what find() returns. Of two equal networks on one interface the first stays.
  void insert(const Prefix& network, std::uint32_t interface, std::size_t value);
  /// The value of the longest network that covers all of `prefix`; `interface` 0: on any.
  std::optional<std::size_t> find(const Prefix& prefix, std::uint32_t interface = 0) const;
  bool covers(const IpAddress& address, std::uint32_t interface = 0) const;

 private:
  const std::bitset<129>& lengths(Family family) const { return family == Family::ipv6 ? ipv6_ : ipv4_; }
  KeyIndex index_;
  std::bitset<129> ipv4_, ipv6_;
};

}  // namespace longline::route
