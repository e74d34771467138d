// SPDX-License-Identifier: MIT
#include "config/link_draft.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "config/toml_text.hpp"

namespace longline::config {
namespace {

constexpr std::string_view kDialled = "0123456789*#+ABCDabcdTPtpWw,@!;/$&^LS=()-. ";   // as parse_link.cpp
constexpr std::size_t kLongestName = 64;
constexpr int kMostComments = 16;

/// At most `most` bytes, between two characters.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace

void LinkDraft::put(std::string_view key, std::string line) {
  for (auto& [name, old] : lines_) {
    if (name == key) {
      old = std::move(line);
      return;
    }
  }
  lines_.emplace_back(key, std::move(line));
}

void LinkDraft::text(std::string_view key, std::string_view value) { put(key, fmt::format("{} = {}", key, toml_string(value))); }
void LinkDraft::number(std::string_view key, std::int64_t value) { put(key, fmt::format("{} = {}", key, value)); }
void LinkDraft::flag(std::string_view key, bool value) { put(key, fmt::format("{} = {}", key, value)); }
void LinkDraft::seconds(std::string_view key, std::int64_t value) { text(key, format_duration(Duration(value * 1000))); }
void LinkDraft::list(std::string_view key, const std::vector<std::string>& values) { put(key, fmt::format("{} = {}", key, toml_array(values))); }

void LinkDraft::later(std::string_view key, std::string_view value, std::string_view why) {
  put(key, fmt::format("# {} = {}   # {}", key, toml_string(value), why));
}

void LinkDraft::comment(std::string_view text) {
  if (comments_++ < kMostComments) lines_.emplace_back("", "# " + escape(text));
}

bool LinkDraft::port(std::string_view name) {
  if (name.size() > 3 && iequals(name.substr(0, 3), "COM")) {
    const std::optional<std::int64_t> n = parse_integer(name.substr(3));
    if (n && *n >= 1 && *n <= 256) {
      text("port", fmt::format("/dev/ttyS{}", *n - 1));
      return true;
    }
  }
  if (name.starts_with('/') && name.size() > 1) {
    text("port", name);
    return true;
  }
  text("port", "/dev/modem");
  return false;
}

bool LinkDraft::dial_number(std::string_view number) {
  if (number.empty() || number.size() > 128 || number.find_first_not_of(kDialled) != std::string_view::npos) return false;
  numbers_.emplace_back(number);
  return true;
}

void LinkDraft::keep_number(std::size_t index) {
  if (index >= numbers_.size()) index = 0;
  if (!numbers_.empty()) numbers_ = {numbers_[index]};
}

std::string LinkDraft::toml() const {
  std::vector<std::string> lines;
  for (const auto& [key, line] : lines_) lines.push_back(line);
  if (direct_) lines.emplace_back("modem = \"none\"");
  if (has_numbers()) lines.push_back("numbers = " + toml_array(numbers_));
  if (!ppp_options_.empty()) lines.push_back("ppp-options = " + toml_array(ppp_options_));
  std::string out;
  if (!complete()) out += "# no number that a modem can dial: put one into 'numbers' and take the # away\n";
  out += fmt::format("{}[link.{}]\n", complete() ? "" : "# ", toml_key(name_));
  for (const std::string& line : lines) out += fmt::format("{}{}\n", complete() || line.starts_with('#') ? "" : "# ", line);
  return out;
}

std::string unique_link_name(std::string_view entry, TakenNames& taken) {
  const std::string base = entry.empty() ? "link" : std::string(cut(entry, kLongestName));
  std::string name = base;
  for (int& n = taken[base]; ++n > 1 && (name == base || taken.contains(name));) {
    const std::string suffix = fmt::format("-{}", n);
    name = std::string(cut(base, kLongestName - suffix.size())) + suffix;
  }
  taken.try_emplace(name, 1);
  return name;
}

std::string secret_file_name(std::string_view link) {
  std::string out;
  for (const char c : link) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
    out += plain ? c : '_';
  }
  if (out.empty() || out.front() == '.') out.insert(0, "link");
  return out + ".secret";
}

}  // namespace longline::config
