// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace longline::x400::test {

/// "03 00 'abc' ff", "0300ff": octets in hexadecimal, text between quotes.
inline std::string octets(std::string_view text) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
    } else if (text[i] == '\'') {
      const std::size_t end = text.find('\'', i + 1);
      out += text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else {
      out += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
      i += 2;
    }
  }
  return out;
}

/// The other way: "03 00 ff", for messages of failed tests.
inline std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    if (!out.empty()) out += ' ';
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15u];
  }
  return out;
}

/// "0300ff".
inline std::string digits(std::string_view bytes) {
  std::string out = hex(bytes);
  std::erase(out, ' ');
  return out;
}

}  // namespace longline::x400::test
