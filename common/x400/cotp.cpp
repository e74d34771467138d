// SPDX-License-Identifier: MIT
#include "x400/cotp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "x400/octet.hpp"

namespace longline::x400 {
namespace {

// X.224, 13: codes of TPDUs, credit bits 0, and of parameters
constexpr unsigned char kRequest = 0xe0;
constexpr unsigned char kConfirm = 0xd0;
constexpr unsigned char kDisconnect = 0x80;
constexpr unsigned char kErrorTpdu = 0x70;
constexpr unsigned char kData = 0xf0;
constexpr unsigned char kEndOfTsdu = 0x80;
constexpr unsigned char kTpduSize = 0xc0;
constexpr unsigned char kCallingTsel = 0xc1;
constexpr unsigned char kCalledTsel = 0xc2;
constexpr unsigned kSmallestSize = 7;    // 2^7
constexpr unsigned kLargestSize = 13;    // 2^13

constexpr std::size_t kConnectHeader = 7;      // LI and the fixed part
constexpr std::size_t kDisconnectHeader = 7;
constexpr std::size_t kErrorHeader = 5;
constexpr std::size_t kReservedIndicator = 255;

std::uint16_t pair(std::string_view bytes, std::size_t at) { return static_cast<std::uint16_t>(octet(bytes, at) << 8 | octet(bytes, at + 1)); }
void put(std::string& out, unsigned value) { out += static_cast<char>(value); }
void put_pair(std::string& out, std::uint16_t value) {
  put(out, value >> 8);
  put(out, value & 0xffu);
}

std::string with_length(const std::string& header) {
  assert(header.size() < kReservedIndicator);
  std::string out;
  put(out, static_cast<unsigned>(header.size()));
  return out + header;
}

void put_parameter(std::string& out, unsigned char code, std::string_view value) {
  put(out, code);
  put(out, static_cast<unsigned>(value.size()));
  out += value;
}

Error cut_short(std::string_view what) { return Error(Errc::protocol, fmt::format("the peer's {} is cut short", what)); }

Result<void> take_parameter(CotpConnect& into, unsigned code, std::string_view value) {
  switch (code) {
    case kTpduSize: {
      if (value.size() != 1) return Error(Errc::protocol, fmt::format("the peer's TPDU size has {} octets, not 1", value.size()));
      const unsigned exponent = octet(value, 0);
      if (exponent < kSmallestSize || exponent > kLargestSize) {
        return Error(Errc::protocol, fmt::format("the peer names a TPDU size of 2^{}, which is not one", exponent));
      }
      into.tpdu_size = std::size_t{1} << exponent;
      return {};
    }
    case kCallingTsel:
    case kCalledTsel:
      if (value.size() > kLongestSelector) return Error(Errc::protocol, fmt::format("the peer's transport selector has {} octets", value.size()));
      (code == kCallingTsel ? into.calling_selector : into.called_selector) = std::string(value);
      return {};
    default: return {};
  }
}

Result<CotpTpdu> decode_connection(std::string_view header, bool confirms) {
  if (header.size() < kConnectHeader) return cut_short(confirms ? "connection confirm" : "connection request");
  CotpConnect out;
  out.confirms = confirms;
  out.destination = pair(header, 2);
  out.source = pair(header, 4);
  out.protocol_class = static_cast<int>(octet(header, 6) >> 4);
  for (std::string_view rest = header.substr(kConnectHeader); !rest.empty();) {
    if (rest.size() < 2 || rest.size() - 2 < octet(rest, 1)) return cut_short(confirms ? "connection confirm" : "connection request");
    const std::size_t length = octet(rest, 1);
    LONGLINE_CHECK(take_parameter(out, octet(rest, 0), rest.substr(2, length)));
    rest.remove_prefix(2 + length);
  }
  return CotpTpdu(std::move(out));
}

}  // namespace

std::string encode(const CotpConnect& tpdu) {
  std::string header;
  put(header, tpdu.confirms ? kConfirm : kRequest);
  put_pair(header, tpdu.destination);
  put_pair(header, tpdu.source);
  put(header, static_cast<unsigned>(tpdu.protocol_class) << 4);
  if (tpdu.tpdu_size) {
    unsigned exponent = kSmallestSize;
    while ((std::size_t{1} << exponent) < *tpdu.tpdu_size) ++exponent;
    assert(std::size_t{1} << exponent == *tpdu.tpdu_size && exponent <= kLargestSize);
    put_parameter(header, kTpduSize, std::string(1, static_cast<char>(exponent)));
  }
  if (tpdu.calling_selector) put_parameter(header, kCallingTsel, *tpdu.calling_selector);
  if (tpdu.called_selector) put_parameter(header, kCalledTsel, *tpdu.called_selector);
  return with_length(header);
}

std::string encode(const CotpDisconnect& tpdu) {
  std::string header;
  put(header, kDisconnect);
  put_pair(header, tpdu.destination);
  put_pair(header, tpdu.source);
  put(header, static_cast<unsigned>(tpdu.reason));
  return with_length(header);
}

std::string encode(const CotpError& tpdu) {
  std::string header;
  put(header, kErrorTpdu);
  put_pair(header, tpdu.destination);
  put(header, static_cast<unsigned>(tpdu.cause));
  return with_length(header);
}

std::string encode(const CotpData& tpdu) {
  std::string out;
  put(out, kCotpDataHeader - 1);
  put(out, kData);
  put(out, tpdu.last ? kEndOfTsdu : 0u);
  return out + tpdu.bytes;
}

Result<CotpTpdu> decode_cotp(std::string_view tpdu) {
  if (tpdu.size() < 2) return cut_short("TPDU");
  const std::size_t indicator = octet(tpdu, 0);
  if (indicator == kReservedIndicator || indicator + 1 > tpdu.size()) return cut_short("TPDU");
  const std::string_view header = tpdu.substr(0, indicator + 1);
  if (header.size() < 2) return cut_short("TPDU");
  // The low bits are a credit, which class 0 does not use.
  switch (const unsigned code = octet(header, 1); code & 0xf0u) {
    case kRequest: return decode_connection(header, false);
    case kConfirm: return decode_connection(header, true);
    case kDisconnect:
      if (header.size() < kDisconnectHeader) return cut_short("disconnect request");
      return CotpTpdu(CotpDisconnect{pair(header, 2), pair(header, 4), static_cast<int>(octet(header, 6))});
    case kErrorTpdu:
      if (header.size() < kErrorHeader) return cut_short("TPDU error");
      return CotpTpdu(CotpError{pair(header, 2), static_cast<int>(octet(header, 4))});
    case kData:
      if (header.size() < kCotpDataHeader) return cut_short("data TPDU");
      if (header.size() > kCotpDataHeader) return Error(Errc::protocol, "the peer's data TPDU is not one of class 0");
      return CotpTpdu(CotpData{std::string(tpdu.substr(kCotpDataHeader)), (octet(header, 2) & kEndOfTsdu) != 0});
    default: return Error(Errc::protocol, fmt::format("the peer sent a TPDU that class 0 does not have: 0x{:02x}", code));
  }
}

std::string_view disconnect_reason(int reason) {
  switch (reason) {
    case 1: return "congestion";
    case 2: return "nobody is there to take the call";
    case 3: return "it knows no such transport selector";
    case 129: return "it is congested";
    case 130: return "the classes and options do not fit";
    case 136: return "it knows no such reference";
    default: return "no reason given";
  }
}

}  // namespace longline::x400
