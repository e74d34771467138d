// SPDX-License-Identifier: MIT
#include "config/client_networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/text.hpp"

namespace longline::config {
namespace {

using Bytes = std::array<unsigned char, 16>;

constexpr int kMappedBits = 96;   // ::ffff:0:0/96, where IPv4 is

bool parse_ipv4(std::string_view text, unsigned char* out) {
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() != 4) return false;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto byte = parse_integer(parts[i]);
    if (!byte || *byte < 0 || *byte > 255 || parts[i].size() != std::to_string(*byte).size()) return false;
    out[i] = static_cast<unsigned char>(*byte);
  }
  return true;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    const auto digit = std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return static_cast<std::uint16_t>(value);
}

/// Groups on one side of "::", the last of which may be an IPv4 address.
bool parse_groups(std::string_view text, std::vector<unsigned char>& out) {
  if (text.empty()) return true;
  const std::vector<std::string_view> parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (unsigned char four[4]; i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
      if (!parse_ipv4(parts[i], four)) return false;
      out.insert(out.end(), four, four + 4);
      continue;
    }
    const auto group = parse_group(parts[i]);
    if (!group) return false;
    out.push_back(static_cast<unsigned char>(*group >> 8));
    out.push_back(static_cast<unsigned char>(*group & 0xff));
  }
  return true;
}

std::optional<Bytes> parse_ipv6(std::string_view text) {
  if (text.size() > 64) return std::nullopt;
  std::vector<unsigned char> head, tail;
  const std::size_t gap = text.find("::");
  if (!parse_groups(text.substr(0, gap), head)) return std::nullopt;
  if (gap != std::string_view::npos && !parse_groups(text.substr(gap + 2), tail)) return std::nullopt;
  const std::size_t given = head.size() + tail.size();
  if (gap == std::string_view::npos ? given != 16 : given > 14) return std::nullopt;
  Bytes out{};
  std::copy(head.begin(), head.end(), out.begin());
  std::copy(tail.begin(), tail.end(), out.end() - static_cast<std::ptrdiff_t>(tail.size()));
  return out;
}

std::optional<Bytes> parse_any(std::string_view text, bool& is_ipv4) {
  Bytes out{};
  out[10] = out[11] = 0xff;
  is_ipv4 = parse_ipv4(text, out.data() + 12);
  return is_ipv4 ? std::optional(out) : parse_ipv6(text);
}

bool same_start(const Bytes& a, const Bytes& b, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8) & 0xff;
  return (a[whole] & mask) == (b[whole] & mask);
}

}  // namespace

bool is_ip_address(std::string_view text) {
  const std::size_t percent = text.find('%');
  bool is_ipv4 = false;
  if (!parse_any(text.substr(0, percent), is_ipv4)) return false;
  if (percent == std::string_view::npos) return true;
  const std::string_view zone = text.substr(percent + 1);
  return !is_ipv4 && !zone.empty() && zone.find_first_of(" /%") == std::string_view::npos;
}

Result<void> ClientNetworks::add(std::string_view text) {
  const auto bad = [&](std::string_view why) { return Error(Errc::malformed, fmt::format("'{}' {}", escape_at_most(text, 64), why)); };
  const std::size_t slash = text.find('/');
  bool is_ipv4 = false;
  const std::optional<Bytes> address = parse_any(text.substr(0, slash), is_ipv4);
  if (!address) return bad("is not like \"192.0.2.0/24\" or \"2001:db8::/32\"");
  Network network{*address, 128};
  if (slash != std::string_view::npos) {
    const auto length = parse_integer(text.substr(slash + 1));
    const int most = is_ipv4 ? 32 : 128;
    if (!length || *length < 0 || *length > most) return bad(fmt::format("has no length from 0 to {} behind the slash", most));
    network.length = static_cast<int>(*length) + (is_ipv4 ? kMappedBits : 0);
  }
  for (int bit = network.length; bit < 128; ++bit) {
    if ((network.address[static_cast<std::size_t>(bit / 8)] & (0x80 >> bit % 8)) != 0) return bad("is an address in a network, not the network");
  }
  networks_.push_back(network);
  return {};
}

bool ClientNetworks::contain(std::string_view address) const {
  bool is_ipv4 = false;
  const std::optional<Bytes> bytes = parse_any(address.substr(0, address.find('%')), is_ipv4);
  return bytes && std::any_of(networks_.begin(), networks_.end(), [&](const Network& n) { return same_start(*bytes, n.address, n.length); });
}

}  // namespace longline::config
