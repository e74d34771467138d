// SPDX-License-Identifier: MIT
#include "route/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace longline::route {
namespace {

std::optional<int> digits(std::string_view text, int base, std::size_t most) {
  if (text.empty() || text.size() > most) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    else if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0 || digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

bool parse_quad(std::string_view text, std::uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t end = i < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos) return false;
    const std::string_view part = text.substr(0, end);
    const std::optional<int> value = digits(part, 10, 3);
    // A leading zero is octal to some readers and decimal to others.
    if (!value || *value > 255 || (part.size() > 1 && part.front() == '0')) return false;
    out[i] = static_cast<std::uint8_t>(*value);
    if (i < 3) text.remove_prefix(end + 1);
  }
  return true;
}

bool parse_ipv6(std::string_view text, std::array<std::uint8_t, 16>& out) {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t filled = 0;
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      if (filled > 12 || !parse_quad(group, bytes.data() + filled)) return false;
      filled += 4;
      break;
    }
    const std::optional<int> value = digits(group, 16, 4);
    if (!value || filled > 14) return false;
    bytes[filled++] = static_cast<std::uint8_t>(*value >> 8);
    bytes[filled++] = static_cast<std::uint8_t>(*value & 0xFF);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.starts_with(':')) {
      if (gap) return false;
      gap = filled;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;  // a single colon at the end
    }
  }
  if (!gap) {
    out = bytes;
    return filled == 16;
  }
  if (filled > 14) return false;
  out.fill(0);
  std::copy_n(bytes.begin(), *gap, out.begin());
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(*gap), bytes.begin() + static_cast<std::ptrdiff_t>(filled),
            out.end() - static_cast<std::ptrdiff_t>(filled - *gap));
  return true;
}

std::string format_ipv6(const std::array<std::uint8_t, 16>& bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  std::size_t best = 8;
  std::size_t best_length = 1;  // a single zero group is not compressed (RFC 5952, 4.2.2)
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
    i += length;
  }
  const bool mapped = best == 0 && best_length == 5 && groups[5] == 0xFFFF;
  std::string out;
  const std::size_t end = mapped ? 6 : 8;
  for (std::size_t i = 0; i < end; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    fmt::format_to(std::back_inserter(out), "{:x}", groups[i]);
  }
  if (mapped) fmt::format_to(std::back_inserter(out), ":{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]);
  return out;
}

}  // namespace

int address_bits(Family family) { return family == Family::ipv4 ? 32 : family == Family::ipv6 ? 128 : 0; }

std::string_view family_name(Family family) {
  return family == Family::ipv4 ? "IPv4" : family == Family::ipv6 ? "IPv6" : "none";
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_multicast() const {
  return family == Family::ipv4 ? (bytes[0] & 0xF0) == 0xE0 : family == Family::ipv6 && bytes[0] == 0xFF;
}

bool IpAddress::is_link_local() const {
  return family == Family::ipv6 && bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80;
}

std::optional<IpAddress> parse_address(std::string_view text) {
  IpAddress address;
  if (text.find(':') != std::string_view::npos) {
    address.family = Family::ipv6;
    if (text.size() > 45 || !parse_ipv6(text, address.bytes)) return std::nullopt;
  } else {
    address.family = Family::ipv4;
    if (text.size() > 15 || !parse_quad(text, address.bytes.data())) return std::nullopt;
  }
  return address;
}

std::string to_string(const IpAddress& address) {
  if (address.family == Family::ipv6) return format_ipv6(address.bytes);
  if (address.family == Family::none) return "";
  const auto& b = address.bytes;
  return fmt::format("{}.{}.{}.{}", b[0], b[1], b[2], b[3]);
}

Prefix network_of(const Prefix& prefix) {
  Prefix out = prefix;
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(prefix.length - 8 * i, 0, 8);
    out.address.bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xFF00 >> kept);
  }
  return out;
}

bool Prefix::has_host_bits() const { return network_of(*this) != *this; }

bool Prefix::covers(const IpAddress& other) const {
  return other.family == address.family && network_of({other, length}).address == network_of(*this).address;
}

Prefix default_prefix(Family family) {
  Prefix prefix;
  prefix.address.family = family;
  return prefix;
}

std::optional<int> mask_length(const IpAddress& mask) {
  int length = 0;
  const int bits = address_bits(mask.family);
  const auto bit = [&](int i) { return (mask.bytes[static_cast<std::size_t>(i / 8)] >> (7 - i % 8)) & 1; };
  while (length < bits && bit(length) == 1) ++length;
  for (int i = length; i < bits; ++i) {
    if (bit(i) == 1) return std::nullopt;
  }
  return length;
}

std::string to_string(const Prefix& prefix) { return fmt::format("{}/{}", to_string(prefix.address), prefix.length); }

}  // namespace longline::route
