// SPDX-License-Identifier: MIT
#include "sys/network/packet_sender.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "link/traffic.hpp"

namespace longline::sys {

Result<PacketSender> PacketSender::open() {
  // IPPROTO_RAW: the packets have their headers with them, in both families.
  UniqueFd ipv4(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
  if (!ipv4) return system_error(errno, "a raw socket", Errc::os).in_stage(Stage::route);
  return PacketSender(std::move(ipv4), UniqueFd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW)));
}

Result<void> PacketSender::send(std::string_view packet) {
  const std::optional<link::PacketFacts> facts = link::read_packet(packet);
  if (!facts || (facts->version == 6 && !ipv6_)) return Error(Errc::malformed, "not a packet that can be sent", Stage::route);
  sockaddr_in to4{};
  to4.sin_family = AF_INET;
  std::copy_n(facts->destination.begin(), 4, reinterpret_cast<std::uint8_t*>(&to4.sin_addr));
  sockaddr_in6 to6{};
  to6.sin6_family = AF_INET6;
  std::copy(facts->destination.begin(), facts->destination.end(), to6.sin6_addr.s6_addr);
  const bool ipv4 = facts->version == 4;
  const auto* to = ipv4 ? reinterpret_cast<const sockaddr*>(&to4) : reinterpret_cast<const sockaddr*>(&to6);
  const socklen_t size = ipv4 ? sizeof to4 : sizeof to6;
  if (::sendto(ipv4 ? ipv4_.get() : ipv6_.get(), packet.data(), packet.size(), 0, to, size) >= 0) return {};
  return system_error(errno, "a packet that waited", Errc::next_hop_unreachable).in_stage(Stage::route);
}

}  // namespace longline::sys
