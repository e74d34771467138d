// SPDX-License-Identifier: MIT
#include "base/decimal.hpp"

#include <charconv>

namespace longline {
namespace {

constexpr std::size_t kMostPlaces = 9;

std::size_t leading_digits(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
  return n;
}

bool read_digits(std::string_view digits, std::int64_t& out) {
  return std::from_chars(digits.data(), digits.data() + digits.size(), out).ec == std::errc();
}

}  // namespace

std::optional<std::int64_t> Decimal::times(std::int64_t scale, std::int64_t most) const {
  if (scale == 1 && parts != 1) return std::nullopt;
  if (most < 0 || whole > most / scale) return std::nullopt;
  const std::int64_t rest = fraction * scale / parts;
  const std::int64_t value = whole * scale;
  if (rest > most - value) return std::nullopt;
  if (fraction != 0 && value + rest == 0) return std::nullopt;
  return value + rest;
}

std::optional<Decimal> take_decimal(std::string_view& text) {
  const std::size_t digits = leading_digits(text);
  Decimal out;
  if (digits == 0 || !read_digits(text.substr(0, digits), out.whole)) return std::nullopt;
  std::string_view rest = text.substr(digits);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    const std::size_t places = leading_digits(rest);
    if (places == 0 || places > kMostPlaces || !read_digits(rest.substr(0, places), out.fraction)) return std::nullopt;
    for (std::size_t i = 0; i < places; ++i) out.parts *= 10;
    rest.remove_prefix(places);
  }
  text = rest;
  return out;
}

}  // namespace longline
