// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "route/netlink_message.hpp"
#include "route/route_key.hpp"

namespace longline::route {

/// Numbers of linux/rtnetlink.h and linux/if.h; a test compares them with the headers.
namespace rt {
inline constexpr std::uint16_t kNewLink = 16, kDeleteLink = 17, kGetLink = 18;
inline constexpr std::uint16_t kNewAddress = 20, kDeleteAddress = 21, kGetAddress = 22;
inline constexpr std::uint16_t kNewRoute = 24, kDeleteRoute = 25, kGetRoute = 26;
inline constexpr std::uint8_t kInet = 2, kInet6 = 10;                         // AF_INET, AF_INET6
inline constexpr std::uint8_t kUnicast = 1, kBlackhole = 6, kUnreachable = 7, kProhibit = 8;  // RTN_*
inline constexpr std::uint8_t kScopeUniverse = 0, kScopeLink = 253, kScopeNowhere = 255;
inline constexpr std::uint32_t kOnlink = 4;                                   // RTNH_F_ONLINK
inline constexpr std::uint32_t kCloned = 0x200;                               // RTM_F_CLONED
inline constexpr std::uint32_t kLookupTable = 0x1000, kMatched = 0x2000;      // RTM_F_LOOKUP_TABLE, RTM_F_FIB_MATCH
inline constexpr std::uint16_t kDestination = 1, kSource = 2, kOutput = 4, kGateway = 5, kPriority = 6,
                               kPreferredSource = 7, kMetrics = 8, kMultipath = 9, kCacheInfo = 12, kTable = 15,
                               kVia = 18, kPreference = 20;                   // RTA_*
inline constexpr std::uint16_t kMtu = 2;                                      // RTAX_MTU
inline constexpr std::uint16_t kAddressLocal = 2, kAddressAddress = 1;        // IFA_*
inline constexpr std::uint16_t kLinkName = 3, kLinkExtMask = 29;              // IFLA_*
inline constexpr std::uint32_t kSkipStatistics = 8;                           // RTEXT_FILTER_SKIP_STATS
inline constexpr std::uint32_t kInterfaceUp = 0x1, kPointToPoint = 0x10;      // IFF_*
}  // namespace rt

/// A route as the kernel says it, or is to be told it.
struct KernelRoute {
  Prefix to{};
  std::uint8_t type = rt::kUnicast;       ///< RTN_*
  std::uint8_t protocol = kOwnProtocol;
  std::uint8_t tos = 0;
  bool onlink = false;
  bool cloned = false;                    ///< a cache entry, not configuration
  bool other = false;                     ///< has parts that Route cannot say (multipath, encapsulation, a source prefix …)
  std::uint32_t table = kMainTable;
  std::uint32_t metric = 0;
  std::uint32_t interface = 0;            ///< index; 0: none, or for the kernel to choose
  std::uint32_t mtu = 0;
  IpAddress via{};
  IpAddress source{};                     ///< preferred source address
  std::string_view raw{};                 ///< the message's payload, into the buffer that was decoded

  bool is_own() const { return protocol == kOwnProtocol; }
  RouteKey key() const { return {to, table, metric, tos}; }
};

inline constexpr std::uint8_t kKernelProtocol = 2;  ///< RTPROT_KERNEL

struct Interface {
  std::uint32_t index = 0;
  std::string name{};
  bool up = false;                        ///< administratively; only then does the kernel take routes
  bool point_to_point = false;
};

struct InterfaceAddress {
  std::uint32_t interface = 0;
  Prefix network{};                       ///< the address with the length of its network; the peer's, if there is one
  IpAddress local{};
};

// Decoders: nullopt for messages of another type, other families, and bytes that are not what they say.
std::optional<KernelRoute> decode_route(const NetlinkMessage& message);
std::optional<Interface> decode_interface(const NetlinkMessage& message);
std::optional<InterfaceAddress> decode_address(const NetlinkMessage& message);

/// Does an event tell of an interface, an address, a route of ours or one that the kernel made? Routes of others come and go
/// by the thousand where a routing daemon runs.
bool is_close_to_us(const NetlinkMessage& event);

// Encoders append one request without NLM_F_ACK and with sequence 0; the socket sets both.

/// RTM_NEWROUTE with CREATE and EXCL: never takes the place of another route. A route with `raw` is sent as it came, so
/// that what is put back is what was there.
void encode_add(std::string& out, const KernelRoute& route);
/// The same request without CREATE and with REPLACE: the kernel judges the route, then finds that it is there (EEXIST) or
/// that there is nothing to replace (ENOENT). It changes nothing whatever it finds; another error is its verdict.
void encode_trial(std::string& out, const KernelRoute& route);
/// RTM_DELROUTE that names the protocol: the kernel looks for a route of exactly that one.
void encode_delete(std::string& out, const KernelRoute& route);

/// Which route a packet to `address` would take, and with `matched` which entry of the table that is. Asks for an
/// acknowledgement behind the answer, so that it ends like a dump.
std::string encode_route_query(const IpAddress& address, const IpAddress& from, bool matched);
std::string encode_route_dump(Family family);
std::string encode_interface_dump();
std::string encode_address_dump();

}  // namespace longline::route
