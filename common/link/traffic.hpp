// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace longline::link {

/// What one IP packet is, as far as it matters to a line that costs money.
struct PacketFacts {
  int version = 4;                                ///< 4 or 6
  std::array<std::uint8_t, 16> source{};          ///< network byte order; an IPv4 address in the first four bytes
  std::array<std::uint8_t, 16> destination{};
  int protocol = 0;                               ///< IANA number, behind IPv6's extension headers
  std::optional<int> source_port{};               ///< TCP and UDP, in a packet that has them
  std::optional<int> destination_port{};
  bool real = false;                              ///< see is_real_traffic()
};

/// Reads an IPv4 or IPv6 packet (RFC 791, RFC 8200). nullopt when it is cut short or contradicts itself.
std::optional<PacketFacts> read_packet(std::string_view ip_packet);

/// Does this packet carry something for somebody, or is it what machines say by themselves? Only real traffic makes a demand-dial
/// interface call, and only real traffic puts off `idle`.
///
/// Not real, in either direction: what is malformed; multicast and broadcast; IGMP, MLD, neighbour discovery, router
/// advertisements; routing protocols (RIP, OSPF, EIGRP, PIM, VRRP, HSRP, GLBP, BFD); NTP, DHCP, mDNS, LLMNR, SSDP, NetBIOS names and
/// datagrams; ICMP errors; keepalives of IPsec's NAT traversal; TCP without data but for the SYN: acknowledgements, keepalives (also those
/// with one byte and no PSH: RFC 1122, 4.2.3.6), FIN and RST, which end what has carried its data already.
bool is_real_traffic(std::string_view ip_packet);

}  // namespace longline::link
