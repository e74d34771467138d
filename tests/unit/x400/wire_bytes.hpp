// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace longline::x400::test {

/// The bytes of "61 0c30": pairs of hexadecimal digits, blanks anywhere between them.
inline std::string wire(std::string_view digits) {
  std::string out;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') continue;
    const int value = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = value;
    } else {
      out += static_cast<char>(high * 16 + value);
      high = -1;
    }
  }
  return out;
}

inline std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "0123456789abcdef"[byte / 16];
    out += "0123456789abcdef"[byte % 16];
  }
  return out;
}

}  // namespace longline::x400::test
