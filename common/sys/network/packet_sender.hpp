// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// Hands whole IP packets to the kernel, which routes them as if they had just been made here: for packets that waited for a
/// link to come up. Needs CAP_NET_RAW.
class PacketSender {
 public:
  static Result<PacketSender> open();
  /// Errc::next_hop_unreachable when there is no way, or the packet is larger than the way takes; malformed for what is no packet.
  Result<void> send(std::string_view packet);

 private:
  PacketSender(UniqueFd ipv4, UniqueFd ipv6) : ipv4_(std::move(ipv4)), ipv6_(std::move(ipv6)) {}
  UniqueFd ipv4_;
  UniqueFd ipv6_;   ///< none where the kernel has no IPv6
};

}  // namespace longline::sys
