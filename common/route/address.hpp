// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace longline::route {

/// `none`: no address at all, where one may be absent.
enum class Family : std::uint8_t { none = 0, ipv4 = 4, ipv6 = 6 };

int address_bits(Family family);            ///< 32 or 128; 0 for none
std::string_view family_name(Family family);  ///< "IPv4", "IPv6"

/// An IPv4 or IPv6 address in network byte order; bytes beyond its family's length are zero.
struct IpAddress {
  Family family = Family::none;
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const IpAddress&) const = default;
  explicit operator bool() const { return family != Family::none; }
  bool is_unspecified() const;              ///< 0.0.0.0 or ::
  bool is_multicast() const;
  bool is_link_local() const;               ///< fe80::/10; always false for IPv4
  int byte_count() const { return address_bits(family) / 8; }
};

/// Dotted quad without leading zeros, or RFC 4291 text without a zone. nullopt for anything else.
std::optional<IpAddress> parse_address(std::string_view text);
std::string to_string(const IpAddress& address);  ///< RFC 5952 for IPv6; "" for none

/// A network: address and length. The bits behind the length may be set until somebody asks network_of().
struct Prefix {
  IpAddress address{};
  int length = 0;

  auto operator<=>(const Prefix&) const = default;
  bool has_host_bits() const;
  bool covers(const IpAddress& other) const;
  bool covers(const Prefix& other) const { return other.length >= length && covers(other.address); }
};

Prefix network_of(const Prefix& prefix);    ///< the host bits cleared
Prefix default_prefix(Family family);       ///< 0.0.0.0/0 or ::/0
/// The length of a netmask such as 255.255.255.0; nullopt when its ones are not in one piece.
std::optional<int> mask_length(const IpAddress& mask);
std::string to_string(const Prefix& prefix);  ///< always with its length: "10.0.0.0/8", "::/0"

}  // namespace longline::route
