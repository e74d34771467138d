// SPDX-License-Identifier: MIT
#include "base/host_name.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline {
namespace {

constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 255;

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_above_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

bool is_dotted_quad(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return false;
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    const auto value = parse_integer(part);
    return part.size() <= 3 && !part.empty() && is_letter_or_digit(part[0]) && value && *value <= 255;
  });
}

}  // namespace

std::optional<std::string> objection_to_host_name(std::string_view name) {
  if (name.size() > kLongestName) return fmt::format("the domain is longer than {} bytes", kLongestName);
  for (const std::string_view label : split(name, '.')) {
    if (label.empty()) return "the domain has an empty label";
    if (label.size() > kLongestLabel) return "a label of the domain is longer than 63 bytes";
    if (label.front() == '-' || label.back() == '-') return "a label of the domain starts or ends with '-'";
    for (const char c : label) {
      if (!is_letter_or_digit(c) && !is_above_ascii(c) && c != '-' && c != '_') {
        return fmt::format("'{}' cannot be in a domain", escape(std::string_view(&c, 1)));
      }
    }
  }
  return std::nullopt;
}

bool is_address_literal(std::string_view text) {
  if (text.size() < 3 || text.front() != '[' || text.back() != ']') return false;
  const std::string_view inside = text.substr(1, text.size() - 2);
  const std::size_t colon = inside.find(':');
  if (colon == std::string_view::npos) return is_dotted_quad(inside);
  if (iequals(inside.substr(0, colon), "ipv6")) {
    const std::string_view rest = inside.substr(colon + 1);
    return rest.find(':') != std::string_view::npos &&
           rest.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  return colon > 0 && std::none_of(inside.begin(), inside.end(), [](char c) {
           return c == '[' || c == ']' || c == '\\' || c == ' ' || is_control(c) || is_above_ascii(c);
         });
}

}  // namespace longline
