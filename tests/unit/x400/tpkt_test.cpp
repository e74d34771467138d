// SPDX-License-Identifier: MIT
#include "x400/tpkt.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

/// All TPDUs of a stream that comes in pieces of `piece`; the error's words behind them.
std::vector<std::string> cut(std::string_view stream, std::size_t piece) {
  TpktReader reader;
  std::vector<std::string> out;
  for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size()))) {
    for (std::string_view in = stream.substr(0, piece); !in.empty();) {
      auto tpdu = reader.next(in);
      if (!tpdu) {
        CHECK(tpdu.error().code == Errc::protocol);
        out.push_back(tpdu.error().what);
        return out;
      }
      if (*tpdu) out.push_back(hex(**tpdu));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a packet is version 3, a zero and a length that counts itself") {
  CHECK(hex(tpkt(octets("02 f0 80"))) == "03 00 00 07 02 f0 80");
  const std::string longest = tpkt(std::string(kLongestTpdu, 'x'));
  CHECK(hex(longest.substr(0, 4)) == "03 00 ff ff");
  CHECK(longest.size() == 65535);
}

TEST_CASE("packets are cut at every split, whatever is in the reserved octet") {
  const std::string stream = octets("03 00 00 07 02 f0 80 03 11 00 09 02 f0 80 'ab' 03 ff 00 07 02 f0 00");
  const std::vector<std::string> expected = {"02 f0 80", "02 f0 80 61 62", "02 f0 00"};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) CHECK(cut(stream, piece) == expected);
}

TEST_CASE("the longest packet is held, not a byte more") {
  TpktReader reader;
  const std::string packet = tpkt(std::string(kLongestTpdu, 'x'));
  std::string_view in = std::string_view(packet).substr(0, packet.size() - 1);
  const auto none = reader.next(in);
  REQUIRE(none);
  CHECK_FALSE(*none);
  CHECK(reader.pending() == 65534);
  const std::string rest = "xtail";
  in = rest;
  const auto whole = reader.next(in);
  REQUIRE(whole);
  REQUIRE(*whole);
  CHECK((*whole)->size() == kLongestTpdu);
  CHECK(in == "tail");
  CHECK(reader.pending() == 0);
}

TEST_CASE("what is no packet is told by its first octets") {
  CHECK(cut("EHLO x\r\n", 1) == std::vector<std::string>{"the peer does not speak RFC 1006: its packet begins with 0x45, not 0x03"});
  CHECK(cut(octets("03 00 00 06 02 f0"), 1) == std::vector<std::string>{"the peer's packet says that it is 6 octets long: too short for RFC 1006"});
  CHECK(cut(octets("03 00 00 00"), 4) == std::vector<std::string>{"the peer's packet says that it is 0 octets long: too short for RFC 1006"});
}
