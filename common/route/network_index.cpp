// SPDX-License-Identifier: MIT
#include "route/network_index.hpp"

namespace longline::route {
namespace {

RouteKey key(const Prefix& network, std::uint32_t interface) { return {network, interface, 0, 0}; }

}  // namespace

void NetworkIndex::insert(const Prefix& network, std::uint32_t interface, std::size_t value) {
  const Prefix clean = network_of(network);
  index_.insert(key(clean, interface), value);
  index_.insert(key(clean, 0), value);
  (clean.address.family == Family::ipv6 ? ipv6_ : ipv4_).set(static_cast<std::size_t>(clean.length));
}

std::optional<std::size_t> NetworkIndex::find(const Prefix& prefix, std::uint32_t interface) const {
  for (int length = prefix.length; length >= 0; --length) {
    if (!lengths(prefix.address.family).test(static_cast<std::size_t>(length))) continue;
    const std::size_t at = index_.find(key(network_of({prefix.address, length}), interface));
    if (at != KeyIndex::kNone) return at;
  }
  return std::nullopt;
}

bool NetworkIndex::covers(const IpAddress& address, std::uint32_t interface) const {
  return find({address, address_bits(address.family)}, interface).has_value();
}

}  // namespace longline::route
