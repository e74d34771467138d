// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <string>

#include "route/rtnetlink.hpp"

using namespace longline::route;

namespace {

Prefix prefix(const char* address, int length) { return {*parse_address(address), length}; }

std::string hex(const std::string& bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    if (i > 0 && i % 4 == 0) out += ' ';
    out += kDigits[static_cast<unsigned char>(bytes[i]) >> 4];
    out += kDigits[static_cast<unsigned char>(bytes[i]) & 15];
  }
  return out;
}

KernelRoute gateway_route() {
  KernelRoute route;
  route.to = prefix("192.168.100.0", 24);
  route.via = *parse_address("10.0.0.2");
  route.interface = 3;
  route.metric = 5;
  route.mtu = 1400;
  return route;
}

std::optional<KernelRoute> decoded(std::string_view bytes) {
  const auto message = next_message(bytes);
  return message ? decode_route(*message) : std::nullopt;
}

}  // namespace

TEST_CASE("our numbers are the kernel's") {
  CHECK(rt::kNewLink == RTM_NEWLINK);
  CHECK(rt::kGetLink == RTM_GETLINK);
  CHECK(rt::kNewAddress == RTM_NEWADDR);
  CHECK(rt::kNewRoute == RTM_NEWROUTE);
  CHECK(rt::kDeleteRoute == RTM_DELROUTE);
  CHECK(rt::kGetRoute == RTM_GETROUTE);
  CHECK(rt::kBlackhole == RTN_BLACKHOLE);
  CHECK(rt::kUnreachable == RTN_UNREACHABLE);
  CHECK(rt::kProhibit == RTN_PROHIBIT);
  CHECK(rt::kScopeLink == RT_SCOPE_LINK);
  CHECK(rt::kScopeNowhere == RT_SCOPE_NOWHERE);
  CHECK(rt::kOnlink == RTNH_F_ONLINK);
  CHECK(rt::kCloned == RTM_F_CLONED);
  CHECK(rt::kLookupTable == RTM_F_LOOKUP_TABLE);
  CHECK(rt::kMatched == RTM_F_FIB_MATCH);
  CHECK(rt::kSource == RTA_SRC);
  CHECK(rt::kDestination == RTA_DST);
  CHECK(rt::kOutput == RTA_OIF);
  CHECK(rt::kGateway == RTA_GATEWAY);
  CHECK(rt::kPriority == RTA_PRIORITY);
  CHECK(rt::kPreferredSource == RTA_PREFSRC);
  CHECK(rt::kMetrics == RTA_METRICS);
  CHECK(rt::kCacheInfo == RTA_CACHEINFO);
  CHECK(rt::kTable == RTA_TABLE);
  CHECK(rt::kPreference == RTA_PREF);
  CHECK(rt::kMtu == RTAX_MTU);
  CHECK(rt::kLinkName == IFLA_IFNAME);
  CHECK(rt::kLinkExtMask == IFLA_EXT_MASK);
  CHECK(rt::kSkipStatistics == RTEXT_FILTER_SKIP_STATS);
  CHECK(rt::kAddressLocal == IFA_LOCAL);
  CHECK(rt::kPointToPoint == IFF_POINTOPOINT);
  CHECK(nl::kFlagDump == NLM_F_DUMP);
  CHECK(nl::kFlagDumpInterrupted == NLM_F_DUMP_INTR);
  CHECK(nl::kFlagCapped == NLM_F_CAPPED);
  CHECK(nl::kFlagAckTlvs == NLM_F_ACK_TLVS);
}

TEST_CASE("an IPv4 route through a gateway, byte for byte") {
  std::string out;
  encode_add(out, gateway_route());
  CHECK(hex(out) ==
        "50000000 18000106 00000000 00000000 "      // length 80, RTM_NEWROUTE, REQUEST|CREATE|EXCL
        "02180000 fe4d0001 00000000 "               // AF_INET /24, table 254, proto 77, scope universe, unicast
        "08000100 c0a86400 08000500 0a000002 08000400 03000000 "
        "08000600 05000000 08000f00 fe000000 0c000800 08000200 78050000");
}

TEST_CASE("a trial is the same request, of which the kernel can make nothing") {
  std::string out, add;
  encode_trial(out, gateway_route());
  encode_add(add, gateway_route());
  CHECK(hex(out.substr(0, 16)) == "50000000 18000103 00000000 00000000");  // REQUEST|REPLACE|EXCL, no CREATE
  CHECK(out.substr(16) == add.substr(16));
  CHECK((NLM_F_REQUEST | NLM_F_REPLACE | NLM_F_EXCL) == 0x301);
}

TEST_CASE("events of links, of our routes and of the kernel's are close to us, those of others are not") {
  const auto close = [](std::uint8_t protocol) {
    KernelRoute route = gateway_route();
    route.protocol = protocol;
    std::string bytes;
    encode_add(bytes, route);
    std::string_view rest = bytes;
    return is_close_to_us(*next_message(rest));
  };
  CHECK(close(kOwnProtocol));
  CHECK(close(RTPROT_KERNEL));
  CHECK_FALSE(close(RTPROT_BGP));
  NetlinkMessage link{RTM_DELLINK, 0, 0, ""};
  CHECK(is_close_to_us(link));
  link.type = RTM_NEWROUTE;  // one that cannot be read
  CHECK_FALSE(is_close_to_us(link));
}

TEST_CASE("an IPv6 reject route, and the deletion of a device route") {
  KernelRoute six;
  six.to = prefix("fd02::", 64);
  six.type = rt::kUnreachable;
  six.metric = 7;
  std::string out;
  encode_add(out, six);
  CHECK(hex(out) ==
        "40000000 18000106 00000000 00000000 0a400000 fe4d0007 00000000 "
        "14000100 fd020000 00000000 00000000 00000000 08000600 07000000 08000f00 fe000000");
  KernelRoute direct;
  direct.to = default_prefix(Family::ipv4);
  direct.interface = 9;
  direct.table = 1000;
  out.clear();
  encode_delete(out, direct);
  CHECK(hex(out) == "2c000000 19000100 00000000 00000000 02000000 004dff01 00000000 08000400 09000000 08000f00 e8030000");
}

TEST_CASE("what is encoded is decoded as the same route") {
  std::string out;
  encode_add(out, gateway_route());
  const auto back = decoded(out);
  REQUIRE(back);
  CHECK(back->key() == gateway_route().key());
  CHECK(to_string(back->via) == "10.0.0.2");
  CHECK(back->interface == 3);
  CHECK(back->mtu == 1400);
  CHECK(back->is_own());
  CHECK_FALSE(back->other);
}

TEST_CASE("a decoded route is sent back as it came, without the kernel's remarks") {
  std::string out;
  encode_add(out, gateway_route());
  out[16 + 8] = 0x14;  // RTNH_F_LINKDOWN | RTNH_F_ONLINK in rtm_flags
  const auto route = decoded(out);
  REQUIRE(route);
  CHECK(route->onlink);
  std::string again;
  encode_add(again, *route);
  out[16 + 8] = 0x04;
  CHECK(hex(again) == hex(out));
}

TEST_CASE("parts that a route file cannot say mark the route") {
  KernelRoute route = gateway_route();
  std::string out;
  encode_add(out, route);
  std::string_view rest = out;
  std::string with_multipath;
  MessageWriter writer(with_multipath, rt::kNewRoute, 0, 0);
  writer.append(next_message(rest)->payload);
  writer.attribute(rt::kMultipath, "");
  writer.end();
  CHECK(decoded(with_multipath)->other);
}

TEST_CASE("an extended acknowledgement gives the kernel's words, capped or not") {
  const auto ack_bytes = [](bool capped, int error) {
    std::string out;
    std::string request;
    encode_add(request, gateway_route());
    MessageWriter writer(out, nl::kError, static_cast<std::uint16_t>(nl::kFlagAckTlvs | (capped ? nl::kFlagCapped : 0)), 42);
    writer.put(error);
    writer.append(capped ? request.substr(0, 16) : request);
    writer.attribute(1, std::string_view("Nexthop has invalid gateway\x1b\0", 29));
    writer.end();
    return out;
  };
  for (const bool capped : {true, false}) {
    const std::string bytes = ack_bytes(capped, -101);
    std::string_view rest = bytes;
    const auto ack = decode_ack(*next_message(rest));
    REQUIRE(ack);
    CHECK(ack->error == 101);
    CHECK(ack->sequence == 42);
    CHECK(ack->text == "Nexthop has invalid gateway\\x1B");
  }
}

TEST_CASE("links and addresses") {
  std::string out;
  {
    MessageWriter writer(out, rt::kNewLink, 0, 0);
    writer.put(ifinfomsg{0, 0, 0, 4, IFF_UP | IFF_POINTOPOINT, 0});
    writer.attribute(rt::kLinkName, std::string_view("ppp0", 5));
    writer.end();
  }
  {
    MessageWriter writer(out, rt::kNewAddress, 0, 0);
    writer.put(ifaddrmsg{AF_INET, 32, 0, 0, 4});
    writer.attribute(rt::kAddressLocal, std::string_view("\x0a\0\0\1", 4));
    writer.attribute(rt::kAddressAddress, std::string_view("\x0a\0\0\2", 4));
    writer.end();
  }
  std::string_view rest = out;
  const auto interface = decode_interface(*next_message(rest));
  REQUIRE(interface);
  CHECK(interface->name == "ppp0");
  CHECK(interface->up);
  CHECK(interface->point_to_point);
  const auto address = decode_address(*next_message(rest));
  REQUIRE(address);
  CHECK(to_string(address->local) == "10.0.0.1");
  CHECK(to_string(address->network) == "10.0.0.2/32");
}

TEST_CASE("no cut and no flipped byte makes the decoders read beyond the end") {
  std::string out;
  encode_add(out, gateway_route());
  for (std::size_t cut = 0; cut <= out.size(); ++cut) {
    const std::string part = out.substr(0, cut);
    if (cut < out.size()) CHECK_FALSE(decoded(part));
  }
  for (std::size_t at = 0; at < out.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = out;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      std::string_view rest = flipped;
      while (const auto message = next_message(rest)) {
        static_cast<void>(decode_route(*message));
        static_cast<void>(decode_interface(*message));
        static_cast<void>(decode_address(*message));
        static_cast<void>(decode_ack(*message));
      }
    }
  }
}
