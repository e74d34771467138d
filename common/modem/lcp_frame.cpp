// SPDX-License-Identifier: MIT
#include "modem/lcp_frame.hpp"

#include <array>
#include <string_view>

namespace longline::modem {
namespace {

constexpr char kFlag = 0x7E;
constexpr char kEscape = 0x7D;

/// CRC-16 of X.25 as RFC 1662, C.2, computes it; a bit at a time, for one frame.
std::uint16_t fcs16(std::string_view bytes) {
  std::uint16_t fcs = 0xFFFF;
  for (const char c : bytes) {
    fcs = static_cast<std::uint16_t>(fcs ^ static_cast<unsigned char>(c));
    for (int bit = 0; bit < 8; ++bit) fcs = static_cast<std::uint16_t>((fcs & 1) != 0 ? (fcs >> 1) ^ 0x8408 : fcs >> 1);
  }
  return static_cast<std::uint16_t>(fcs ^ 0xFFFF);
}

}  // namespace

std::string lcp_terminate_request(std::uint8_t identifier) {
  constexpr std::array<unsigned char, 4> kHeader = {0xFF, 0x03, 0xC0, 0x21};   // address, control, protocol LCP
  std::string frame(kHeader.begin(), kHeader.end());
  frame += '\x05';                        // Terminate-Request
  frame += static_cast<char>(identifier);
  frame += std::string_view("\0\x04", 2);  // length: no data
  const std::uint16_t fcs = fcs16(frame);
  frame += static_cast<char>(fcs & 0xFF);
  frame += static_cast<char>(fcs >> 8);
  std::string out(1, kFlag);
  for (const char c : frame) {
    if (static_cast<unsigned char>(c) < 0x20 || c == kFlag || c == kEscape) {
      out += kEscape;
      out += static_cast<char>(c ^ 0x20);
    } else {
      out += c;
    }
  }
  return out + kFlag;
}

}  // namespace longline::modem
