// SPDX-License-Identifier: MIT
#include "config/address_pool.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/text.hpp"

namespace longline::config {
namespace {

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t address = 0;
  for (const std::string_view part : parts) {
    const std::optional<std::int64_t> byte = parse_integer(part);
    // A leading zero is octal to some and decimal to others.
    if (!byte || *byte < 0 || *byte > 255 || part.size() != std::to_string(*byte).size()) return std::nullopt;
    address = address << 8 | static_cast<std::uint32_t>(*byte);
  }
  return address;
}

}  // namespace

std::string format_ipv4(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
}

Result<AddressPool> AddressPool::parse(std::string_view text) {
  constexpr int kShortest = 16, kLongest = 30;
  const auto bad = [&](std::string_view why) {
    return Error(Errc::malformed, fmt::format("'{}' {}", escape_at_most(text, 64), why));
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad("is not like \"192.168.1.0/29\"");
  const std::optional<std::uint32_t> address = parse_ipv4(text.substr(0, slash));
  const std::optional<std::int64_t> length = parse_integer(text.substr(slash + 1));
  if (!address || !length || *length < 0 || *length > 32) return bad("is not like \"192.168.1.0/29\"");
  if (*length < kShortest || *length > kLongest) {
    return bad(fmt::format("has no room for our end and a caller, or too much: the length is {} to {}", kShortest, kLongest));
  }
  const std::uint32_t mask = ~std::uint32_t{0} << (32 - *length);
  if ((*address & ~mask) != 0) {
    return bad(fmt::format("is an address in a network; the network is {}/{}", format_ipv4(*address & mask), *length));
  }
  const std::uint32_t first = *address >> 24;
  if (first == 0 || first == 127 || first >= 224) return bad("is no network that hosts have addresses of");
  return AddressPool(*address, static_cast<int>(*length));
}

}  // namespace longline::config
