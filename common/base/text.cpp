// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/decimal.hpp"

namespace longline {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Length of the well-formed UTF-8 sequence at the start, 0 if there is none; RFC 3629.
std::size_t utf8_length(std::string_view s, char32_t& code_point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = byte(0);
  std::size_t length = 0;
  if (first < 0x80) {
    code_point = first;
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  else if ((first & 0xF0) == 0xE0) length = 3;
  else if (first >= 0xF0 && first <= 0xF4) length = 4;
  else return 0;
  if (s.size() < length) return 0;
  code_point = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code_point = (code_point << 6) | (byte(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool outside = code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF);
  return overlong || outside ? 0 : length;
}

bool is_bidi_control(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C;
}

void escape_byte(std::string& out, unsigned char c) {
  switch (c) {
    case '\r': out += "\\r"; break;
    case '\n': out += "\\n"; break;
    case '\t': out += "\\t"; break;
    case '\\': out += "\\\\"; break;
    default: out += fmt::format("\\x{:02X}", c);
  }
}

enum class Backslash { doubled, kept };

/// Appends the escaped form of the first character and returns how many bytes it took.
std::size_t escape_one(std::string& out, std::string_view rest, Backslash backslash = Backslash::doubled) {
  char32_t code_point = 0;
  const std::size_t length = utf8_length(rest, code_point);
  const bool control = code_point < 0x20 || (code_point == '\\' && backslash == Backslash::doubled) || (code_point >= 0x7F && code_point < 0xA0) ||
                       code_point == 0x2028 || code_point == 0x2029 || is_bidi_control(code_point);
  if (length == 0 || control) {
    const std::size_t taken = std::max<std::size_t>(length, 1);
    for (std::size_t i = 0; i < taken; ++i) escape_byte(out, static_cast<unsigned char>(rest[i]));
    return taken;
  }
  out += rest.substr(0, length);
  return length;
}

/// Edits by insertion, deletion, change, and swap of two neighbours (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

bool has_high(std::string_view bytes) { return std::any_of(bytes.begin(), bytes.end(), is_high); }

std::string_view first_word(std::string_view text) { return text.substr(0, text.find_first_of(" \t")); }

bool iequals(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string escape(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) bytes.remove_prefix(escape_one(out, bytes));
  return out;
}

std::string quote(std::string_view bytes) {
  std::string out = "\"";
  while (!bytes.empty()) {
    if (bytes.front() == '"') {
      out += "\\\"";
      bytes.remove_prefix(1);
    } else {
      bytes.remove_prefix(escape_one(out, bytes));
    }
  }
  return out + '"';
}

namespace {

std::string shown_at_most(std::string_view bytes, std::size_t most, Backslash backslash) {
  std::string out;
  while (!bytes.empty()) {
    std::string one;
    const std::size_t taken = escape_one(one, bytes, backslash);
    if (out.size() + one.size() > most) return out + "…";
    out += one;
    bytes.remove_prefix(taken);
  }
  return out;
}

}  // namespace

std::string escape_at_most(std::string_view bytes, std::size_t most) { return shown_at_most(bytes, most, Backslash::doubled); }
std::string printable_at_most(std::string_view text, std::size_t most) { return shown_at_most(text, most, Backslash::kept); }

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    // It takes at least as many edits as the lengths differ by.
    const std::size_t apart = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (apart >= best) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::size_t character_length(std::string_view text) {
  char32_t code_point = 0;
  return std::max<std::size_t>(1, utf8_length(text, code_point));
}

Result<std::int64_t> parse_size(std::string_view text) {
  const Error bad(Errc::malformed, fmt::format("'{}' is not a size; write it like 4096, 200k or 1.5M", escape_at_most(text, 64)));
  std::string_view unit = text;
  const std::optional<Decimal> number = take_decimal(unit);
  if (!number) return bad;
  std::int64_t scale = 1;
  if (!unit.empty() && (unit.back() == 'B' || unit.back() == 'b')) unit.remove_suffix(1);
  if (!unit.empty()) {
    const bool binary = unit.size() == 2 && unit[1] == 'i';
    if (unit.size() > 1 && !binary) return bad;
    const std::int64_t step = binary ? 1024 : 1000;
    switch (lower(unit[0])) {
      case 'k': scale = step; break;
      case 'm': scale = step * step; break;
      case 'g': scale = step * step * step; break;
      default: return bad;
    }
  }
  const std::optional<std::int64_t> bytes = number->times(scale, std::numeric_limits<std::int64_t>::max());
  if (!bytes) return bad;
  return *bytes;
}

std::string format_size(std::int64_t bytes) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace longline
