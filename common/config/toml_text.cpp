// SPDX-License-Identifier: MIT
#include "config/toml_text.hpp"

#include <fmt/format.h>

namespace longline::config {

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // The controls beyond ASCII too: the text may end on a terminal.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte == '"' || byte == '\\') out += '\\';
    if (byte < 0x20 || byte == 0x7F) out += fmt::format("\\u{:04X}", byte);
    else if (c1) out += fmt::format("\\u{:04X}", static_cast<unsigned char>(text[++i]));
    else out += text[i];
  }
  return out + '"';
}

std::string toml_array(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + toml_string(item);
  return "[" + out + "]";
}

std::string toml_key(std::string_view name) {
  const bool bare = !name.empty() && name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
                                         std::string_view::npos;
  return bare ? std::string(name) : toml_string(name);
}

}  // namespace longline::config
