// SPDX-License-Identifier: MIT
#include "config/ini_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"

namespace longline::config {
namespace {

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t more = lead < 0x80 ? 0 : lead >= 0xC2 && lead < 0xE0 ? 1 : lead >= 0xE0 && lead < 0xF0 ? 2 : lead >= 0xF0 && lead < 0xF5 ? 3 : 4;
    if (more == 4 || i + more >= text.size()) return false;
    std::uint32_t point = more == 0 ? lead : lead & (0x3Fu >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      point = point << 6 | (next & 0x3Fu);
    }
    constexpr std::array<std::uint32_t, 4> kLeast = {0, 0x80, 0x800, 0x10000};
    if (point < kLeast[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return false;
    i += more + 1;
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

/// Windows-1252; its five holes stay the control characters that Windows makes of them.
std::string from_windows_1252(std::string_view text) {
  constexpr std::array<std::uint16_t, 32> kHigh = {
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
      0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    append_utf8(out, byte >= 0x80 && byte < 0xA0 ? kHigh[byte - 0x80u] : byte);
  }
  return out;
}

}  // namespace

Result<IniText> parse_ini(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return Error(Errc::malformed, "the file is in UTF-16").with_hint("save it as plain text (ANSI or UTF-8)");
  }
  if (text.find('\0') != std::string_view::npos) return Error(Errc::malformed, "a NUL byte: this is not a text");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string converted = is_utf8(text) ? std::string(text) : from_windows_1252(text);
  // No name and no value has a use for them, and longline.toml takes none.
  std::replace_if(converted.begin(), converted.end(), [](char c) { return c != '\n' && is_control(c); }, ' ');
  IniText out;
  int number = 0;
  for (const std::string_view raw : split(converted, '\n')) {
    const std::string_view line = trim(raw);
    ++number;
    if (line.empty() || line.front() == ';' || line.front() == '#') continue;
    if (line.front() == '[') {
      const std::size_t end = line.rfind(']');
      const std::string_view name = trim(line.substr(1, end == std::string_view::npos || end == 0 ? end : end - 1));
      out.sections.push_back({std::string(name), number, {}});
      continue;
    }
    const std::size_t equals = line.find('=');
    const std::string_view name = trim(line.substr(0, equals));
    if (equals == std::string_view::npos || name.empty() || out.sections.empty()) {
      out.stray.push_back({std::string(name), "", number});
      continue;
    }
    out.sections.back().keys.push_back({std::string(name), std::string(trim(line.substr(equals + 1))), number});
  }
  return out;
}

}  // namespace longline::config
