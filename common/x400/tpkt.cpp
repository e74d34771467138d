// SPDX-License-Identifier: MIT
#include "x400/tpkt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "x400/octet.hpp"

namespace longline::x400 {
namespace {

constexpr unsigned char kVersion = 3;
constexpr std::size_t kShortestPacket = kTpktHeader + 3;

}  // namespace

std::string tpkt(std::string_view tpdu) {
  assert(tpdu.size() <= kLongestTpdu);
  const std::size_t length = kTpktHeader + tpdu.size();
  std::string out;
  out.reserve(length);
  out += static_cast<char>(kVersion);
  out += '\0';
  out += static_cast<char>(length >> 8);
  out += static_cast<char>(length & 0xff);
  out += tpdu;
  return out;
}

Result<std::optional<std::string>> TpktReader::next(std::string_view& in) {
  const auto take = [&](std::size_t upto) {
    const std::size_t count = std::min(in.size(), upto - packet_.size());
    packet_ += in.substr(0, count);
    in.remove_prefix(count);
    return packet_.size() == upto;
  };
  if (packet_.size() < kTpktHeader) {
    const bool whole = take(kTpktHeader);
    // Told by the first octet already: whoever speaks another protocol may wait for us to speak.
    if (!packet_.empty() && octet(packet_, 0) != kVersion) {
      return Error(Errc::protocol, fmt::format("the peer does not speak RFC 1006: its packet begins with 0x{:02x}, not 0x03", octet(packet_, 0)));
    }
    if (!whole) return std::optional<std::string>();
  }
  const std::size_t length = octet(packet_, 2) << 8 | octet(packet_, 3);
  if (length < kShortestPacket) return Error(Errc::protocol, fmt::format("the peer's packet says that it is {} octets long: too short for RFC 1006", length));
  if (!take(length)) return std::optional<std::string>();
  std::string tpdu = packet_.substr(kTpktHeader);
  packet_.clear();
  return std::optional<std::string>(std::move(tpdu));
}

}  // namespace longline::x400
