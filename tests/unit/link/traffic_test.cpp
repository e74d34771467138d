// SPDX-License-Identifier: MIT
#include "link/traffic.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

using namespace longline::link;

namespace {

constexpr int kIcmp = 1, kIgmp = 2, kTcp = 6, kUdp = 17, kIcmp6 = 58;
constexpr int kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

std::string word(std::size_t value) { return bytes({static_cast<int>(value >> 8), static_cast<int>(value & 0xff)}); }

std::string ipv4(int protocol, const std::string& payload, const std::string& to = bytes({192, 168, 100, 15}), int fragment = 0,
                 const std::string& options = "") {
  return bytes({0x45 + static_cast<int>(options.size()) / 4, 0}) + word(20 + options.size() + payload.size()) + word(7) +
         word(static_cast<std::size_t>(fragment)) + bytes({64, protocol, 0, 0, 10, 1, 0, 5}) + to + options + payload;
}

std::string ipv6(int next, const std::string& payload, int first_of_address = 0x20) {
  return bytes({0x60, 0, 0, 0}) + word(payload.size()) + bytes({next, 64}) + std::string(16, '\x21') +
         bytes({first_of_address}) + std::string(15, '\x01') + payload;
}

std::string udp(int from, int to, const std::string& data = "question") {
  return word(static_cast<std::size_t>(from)) + word(static_cast<std::size_t>(to)) + word(8 + data.size()) + word(0) + data;
}

std::string tcp(int flags, const std::string& data = "", const std::string& options = "") {
  return word(40000) + word(25) + std::string(8, '\x01') + bytes({(5 + static_cast<int>(options.size()) / 4) << 4, flags}) +
         std::string(6, '\0') + options + data;
}

std::string icmp(int type) { return bytes({type, 0, 0, 0, 0, 0, 0, 1}) + "ping"; }

}  // namespace

TEST_CASE("what somebody sends is real") {
  CHECK(is_real_traffic(ipv4(kIcmp, icmp(8))));
  CHECK(is_real_traffic(ipv4(kIcmp, icmp(0))));
  CHECK(is_real_traffic(ipv4(kUdp, udp(40000, 53))));
  CHECK(is_real_traffic(ipv4(kUdp, udp(53, 40000))));
  CHECK(is_real_traffic(ipv4(kTcp, tcp(kSyn))));
  CHECK(is_real_traffic(ipv4(kTcp, tcp(kSyn | kAck, "", bytes({2, 4, 5, 180})))));
  CHECK(is_real_traffic(ipv4(kTcp, tcp(kAck, "MAIL FROM"))));
  CHECK(is_real_traffic(ipv4(kTcp, tcp(kAck | kPsh, "x"))));
  CHECK(is_real_traffic(ipv4(50, "ESP")));
  CHECK(is_real_traffic(ipv4(kIcmp, icmp(8), bytes({10, 0, 0, 255}))));   // a host, for all that we know
  CHECK(is_real_traffic(ipv4(kIcmp, icmp(8), bytes({10, 0, 0, 1}), 0, bytes({7, 4, 0, 0}))));
  CHECK(is_real_traffic(ipv6(kIcmp6, icmp(128))));
  CHECK(is_real_traffic(ipv6(kTcp, tcp(kSyn))));
  CHECK(is_real_traffic(ipv6(kUdp, udp(40000, 443))));
}

TEST_CASE("what machines say by themselves is not") {
  for (const int port : {67, 68, 123, 137, 138, 520, 521, 546, 547, 1900, 1985, 3784, 5353, 5355}) {
    CAPTURE(port);
    CHECK_FALSE(is_real_traffic(ipv4(kUdp, udp(40000, port))));
    CHECK_FALSE(is_real_traffic(ipv4(kUdp, udp(port, 40000))));
    CHECK_FALSE(is_real_traffic(ipv6(kUdp, udp(40000, port))));
  }
  for (const int protocol : {kIgmp, 88, 89, 103, 112}) {
    CAPTURE(protocol);
    CHECK_FALSE(is_real_traffic(ipv4(protocol, "hello there")));
  }
  for (const int type : {3, 4, 5, 9, 10, 11, 12}) {
    CAPTURE(type);
    CHECK_FALSE(is_real_traffic(ipv4(kIcmp, icmp(type))));
  }
  for (const int type : {1, 2, 3, 4, 130, 131, 132, 133, 134, 135, 136, 137, 143}) {
    CAPTURE(type);
    CHECK_FALSE(is_real_traffic(ipv6(kIcmp6, icmp(type))));
  }
  CHECK_FALSE(is_real_traffic(ipv4(kUdp, udp(4500, 4500, "\xff"))));
  CHECK(is_real_traffic(ipv4(kUdp, udp(4500, 4500, "\xff\xff"))));
  CHECK_FALSE(is_real_traffic(ipv6(59, "")));
}

TEST_CASE("multicast and broadcast are not real, whatever they carry") {
  CHECK_FALSE(is_real_traffic(ipv4(kUdp, udp(40000, 9999), bytes({224, 0, 0, 1}))));
  CHECK_FALSE(is_real_traffic(ipv4(kUdp, udp(40000, 9999), bytes({239, 255, 255, 250}))));
  CHECK_FALSE(is_real_traffic(ipv4(kUdp, udp(40000, 9999), bytes({255, 255, 255, 255}))));
  CHECK_FALSE(is_real_traffic(ipv6(kUdp, udp(40000, 9999), 0xff)));
}

TEST_CASE("TCP without data is real only when it opens a connection") {
  CHECK_FALSE(is_real_traffic(ipv4(kTcp, tcp(kAck))));
  CHECK_FALSE(is_real_traffic(ipv4(kTcp, tcp(kAck, "", bytes({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2})))));
  CHECK_FALSE(is_real_traffic(ipv4(kTcp, tcp(kAck, "\x01"))));   // a keepalive with its byte
  CHECK_FALSE(is_real_traffic(ipv4(kTcp, tcp(kFin | kAck))));
  CHECK_FALSE(is_real_traffic(ipv4(kTcp, tcp(kRst))));
  CHECK(is_real_traffic(ipv4(kTcp, tcp(kFin | kAck, "last words"))));
  CHECK_FALSE(is_real_traffic(ipv6(kTcp, tcp(kAck))));
}

TEST_CASE("the pieces of a datagram are as real as a datagram") {
  constexpr int kMore = 0x2000;
  CHECK(is_real_traffic(ipv4(kUdp, udp(40000, 53, std::string(200, 'x')).substr(0, 64), bytes({10, 0, 0, 1}), kMore)));
  CHECK(is_real_traffic(ipv4(kUdp, "anything", bytes({10, 0, 0, 1}), 8)));
  CHECK_FALSE(is_real_traffic(ipv4(kIgmp, "anything", bytes({10, 0, 0, 1}), 8)));
  CHECK_FALSE(is_real_traffic(ipv4(kTcp, tcp(kSyn).substr(0, 8), bytes({10, 0, 0, 1}), kMore)));   // hides its flags
  const std::string first = bytes({kUdp, 0, 0, 1, 0, 0, 0, 9});
  CHECK(is_real_traffic(ipv6(44, first + udp(40000, 53, std::string(200, 'x')).substr(0, 64))));
  CHECK(is_real_traffic(ipv6(44, bytes({kUdp, 0, 0, 8, 0, 0, 0, 9}) + "anything")));
}

TEST_CASE("IPv6 extension headers are walked over, so many and no more") {
  const std::string padding = bytes({kUdp, 0, 1, 4, 0, 0, 0, 0});
  CHECK(is_real_traffic(ipv6(0, padding + udp(40000, 53))));
  CHECK_FALSE(is_real_traffic(ipv6(0, padding + udp(40000, 123))));
  CHECK(is_real_traffic(ipv6(51, bytes({kTcp, 4}) + std::string(22, '\0') + tcp(kSyn))));
  CHECK_FALSE(is_real_traffic(ipv6(60, bytes({kUdp, 9, 1, 4, 0, 0, 0, 0}) + udp(40000, 53))));   // longer than the packet
  std::string chain;
  for (int i = 0; i < 20; ++i) chain += bytes({60, 0, 1, 4, 0, 0, 0, 0});
  CHECK_FALSE(is_real_traffic(ipv6(60, chain + padding + udp(40000, 53))));
}

TEST_CASE("a packet that is cut anywhere, or contradicts itself, is not real") {
  for (const std::string& packet : {ipv4(kTcp, tcp(kSyn)), ipv4(kUdp, udp(40000, 53)), ipv6(kTcp, tcp(kSyn)), ipv6(kIcmp6, icmp(128))}) {
    CHECK(is_real_traffic(packet));
    CHECK(is_real_traffic(packet + "padding"));
    for (std::size_t length = 0; length < packet.size(); ++length) CHECK_FALSE(is_real_traffic(packet.substr(0, length)));
  }
  std::string packet = ipv4(kTcp, tcp(kSyn));
  packet[0] = '\x44';   // a header of 16 bytes
  CHECK_FALSE(read_packet(packet));
  packet[0] = '\x55';
  CHECK_FALSE(read_packet(packet));
  packet = ipv4(kTcp, tcp(kSyn));
  packet[32] = '\x40';   // a TCP header of 16 bytes
  CHECK_FALSE(read_packet(packet));
  packet[32] = '\x70';   // longer than the packet
  CHECK_FALSE(read_packet(packet));
  packet = ipv4(kUdp, udp(40000, 53));
  packet[25] = '\x04';   // a UDP datagram shorter than its header
  CHECK_FALSE(read_packet(packet));
}

TEST_CASE("the facts of a packet name who wants what") {
  const auto packet = read_packet(ipv4(kTcp, tcp(kSyn)));
  REQUIRE(packet);
  CHECK(packet->version == 4);
  CHECK(packet->protocol == kTcp);
  CHECK(packet->source[0] == 10);
  CHECK(packet->destination[3] == 15);
  CHECK(packet->source_port == 40000);
  CHECK(packet->destination_port == 25);
  const auto ping = read_packet(ipv6(kIcmp6, icmp(128)));
  REQUIRE(ping);
  CHECK(ping->version == 6);
  CHECK(ping->destination[0] == 0x20);
  CHECK_FALSE(ping->destination_port);
}
