// SPDX-License-Identifier: MIT
#include "link/traffic.hpp"

#include <algorithm>
#include <cstddef>

namespace longline::link {
namespace {

enum Protocol : int {
  kHopByHop = 0,
  kIcmp = 1,
  kIgmp = 2,
  kTcp = 6,
  kUdp = 17,
  kRouting = 43,
  kFragment = 44,
  kAuthentication = 51,
  kIcmp6 = 58,
  kNoNextHeader = 59,
  kDestinationOptions = 60,
  kEigrp = 88,
  kOspf = 89,
  kPim = 103,
  kVrrp = 112,
};

/// UDP ports whose traffic machines make by themselves, at either end.
constexpr std::array kChatter = {
    67, 68, 546, 547,        // DHCP
    123,                     // NTP
    137, 138,                // NetBIOS names and datagrams
    520, 521,                // RIP, RIPng
    1900,                    // SSDP
    1985, 2029,              // HSRP
    3222,                    // GLBP
    3784, 3785, 4784,        // BFD
    5353, 5355,              // mDNS, LLMNR
};
constexpr int kIpsecNat = 4500;

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  std::size_t size() const { return bytes_.size(); }
  int byte(std::size_t at) const { return static_cast<unsigned char>(bytes_[at]); }
  int word(std::size_t at) const { return byte(at) << 8 | byte(at + 1); }
  Bytes from(std::size_t at) const { return Bytes(bytes_.substr(at)); }
  Bytes first(std::size_t count) const { return Bytes(bytes_.substr(0, count)); }
  void copy(std::size_t at, std::size_t count, std::array<std::uint8_t, 16>& out) const {
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(byte(at + i));
  }

 private:
  std::string_view bytes_;
};

/// Where a packet stands in a datagram that was cut up.
struct Piece {
  bool first = true;       ///< has the header of the layer above
  bool whole = true;
};

bool to_everybody(const PacketFacts& packet) {
  if (packet.version == 6) return packet.destination[0] == 0xff;
  const bool broadcast = std::all_of(packet.destination.begin(), packet.destination.begin() + 4, [](int b) { return b == 0xff; });
  return broadcast || (packet.destination[0] & 0xf0) == 0xe0;
}

/// RFC 792 and 1256: errors answer other packets; only queries and their replies are meant by somebody.
bool is_icmp_talk(int type) { return type == 0 || type == 8 || (type >= 13 && type <= 18); }

/// RFC 4443: 0…127 are errors; 130…137, 143 and 151…153 keep the link itself going.
bool is_icmp6_talk(int type) { return type == 128 || type == 129 || type == 139 || type == 140; }

/// The TCP or UDP header of the first piece; false when it contradicts itself.
bool read_udp(Bytes udp, Piece piece, PacketFacts& packet) {
  constexpr std::size_t kHeader = 8;
  if (udp.size() < kHeader) return false;
  const auto length = static_cast<std::size_t>(udp.word(4));
  if (length < kHeader || (piece.whole && length > udp.size())) return false;
  packet.source_port = udp.word(0);
  packet.destination_port = udp.word(2);
  const bool to_ipsec = packet.source_port == kIpsecNat || packet.destination_port == kIpsecNat;
  const bool keepalive = to_ipsec && length == kHeader + 1 && udp.size() > kHeader && udp.byte(kHeader) == 0xff;   // RFC 3948
  const auto chatters = [](int port) { return std::find(kChatter.begin(), kChatter.end(), port) != kChatter.end(); };
  packet.real = !keepalive && !chatters(*packet.source_port) && !chatters(*packet.destination_port);
  return true;
}

bool read_tcp(Bytes tcp, PacketFacts& packet) {
  constexpr std::size_t kHeader = 20;
  constexpr int kSyn = 0x02, kPsh = 0x08;
  if (tcp.size() < kHeader) return false;
  const std::size_t header = static_cast<std::size_t>(tcp.byte(12) >> 4) * 4;
  if (header < kHeader || header > tcp.size()) return false;
  packet.source_port = tcp.word(0);
  packet.destination_port = tcp.word(2);
  const int flags = tcp.byte(13);
  const std::size_t data = tcp.size() - header;
  packet.real = (flags & kSyn) != 0 || data > 1 || (data == 1 && (flags & kPsh) != 0);
  return true;
}

bool read_payload(Bytes payload, Piece piece, PacketFacts& packet) {
  packet.real = true;
  switch (packet.protocol) {
    case kIgmp:
    case kNoNextHeader:
    case kEigrp:
    case kOspf:
    case kPim:
    case kVrrp: packet.real = false; return true;
    default: break;
  }
  // What follows the first piece is as real as that was; a datagram in pieces is none of the chatter.
  if (!piece.first) return true;
  const bool icmp = packet.protocol == (packet.version == 4 ? kIcmp : kIcmp6);
  if (icmp) {
    constexpr std::size_t kHeader = 4;
    if (payload.size() < kHeader) return false;
    const int type = payload.byte(0);
    packet.real = packet.version == 4 ? is_icmp_talk(type) : is_icmp6_talk(type);
    return true;
  }
  if (packet.protocol == kUdp) return read_udp(payload, piece, packet);
  if (packet.protocol == kTcp) return read_tcp(payload, packet);
  return true;
}

bool read_ipv4(Bytes bytes, PacketFacts& packet) {
  constexpr std::size_t kHeader = 20;
  if (bytes.size() < kHeader) return false;
  const std::size_t header = static_cast<std::size_t>(bytes.byte(0) & 0x0f) * 4;
  const auto total = static_cast<std::size_t>(bytes.word(2));
  if (header < kHeader || total < header || total > bytes.size()) return false;
  packet.version = 4;
  packet.protocol = bytes.byte(9);
  bytes.copy(12, 4, packet.source);
  bytes.copy(16, 4, packet.destination);
  const int fragment = bytes.word(6);
  const bool more = (fragment & 0x2000) != 0;
  const bool first = (fragment & 0x1fff) == 0;
  return read_payload(bytes.first(total).from(header), {first, first && !more}, packet);
}

bool read_ipv6(Bytes bytes, PacketFacts& packet) {
  constexpr std::size_t kHeader = 40;
  constexpr int kMostExtensions = 8;
  if (bytes.size() < kHeader) return false;
  const auto length = static_cast<std::size_t>(bytes.word(4));
  if (kHeader + length > bytes.size()) return false;
  packet.version = 6;
  bytes.copy(8, 16, packet.source);
  bytes.copy(24, 16, packet.destination);
  packet.protocol = bytes.byte(6);
  Bytes rest = bytes.first(kHeader + length).from(kHeader);
  Piece piece;
  for (int i = 0; i < kMostExtensions; ++i) {
    const int type = packet.protocol;
    const bool options = type == kHopByHop || type == kRouting || type == kDestinationOptions;
    if (!options && type != kFragment && type != kAuthentication) return read_payload(rest, piece, packet);
    constexpr std::size_t kExtensionUnit = 8;
    if (rest.size() < kExtensionUnit) return false;
    std::size_t size = kExtensionUnit;
    if (options) size = (static_cast<std::size_t>(rest.byte(1)) + 1) * kExtensionUnit;
    if (type == kAuthentication) size = (static_cast<std::size_t>(rest.byte(1)) + 2) * 4;
    if (type == kFragment) {
      const int fragment = rest.word(2);
      piece.first = (fragment & 0xfff8) == 0;
      piece.whole = piece.first && (fragment & 1) == 0;
    }
    if (size > rest.size()) return false;
    packet.protocol = rest.byte(0);
    rest = rest.from(size);
    if (!piece.first) return read_payload(rest, piece, packet);
  }
  return false;
}

}  // namespace

std::optional<PacketFacts> read_packet(std::string_view ip_packet) {
  if (ip_packet.empty()) return std::nullopt;
  const Bytes bytes(ip_packet);
  const int version = bytes.byte(0) >> 4;
  PacketFacts packet;
  const bool sound = version == 4 ? read_ipv4(bytes, packet) : version == 6 && read_ipv6(bytes, packet);
  if (!sound) return std::nullopt;
  if (to_everybody(packet)) packet.real = false;
  return packet;
}

bool is_real_traffic(std::string_view ip_packet) {
  const std::optional<PacketFacts> packet = read_packet(ip_packet);
  return packet && packet->real;
}

}  // namespace longline::link
