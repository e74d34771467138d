// SPDX-License-Identifier: MIT
#include "script/scp/escapes.hpp"

#include "base/text.hpp"

namespace longline::script {

std::string translate_escapes(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const char next = i + 1 < value.size() ? value[i + 1] : '\0';
    if (c == '\\' && (next == '"' || next == '^' || next == '<' || next == '\\')) {
      out += next;
      ++i;
    } else if (c == '^' && next >= '@' && next <= '_') {
      out += static_cast<char>(next - '@');
      ++i;
    } else if (c == '^' && next >= 'a' && next <= 'z') {
      out += static_cast<char>(next - 'a' + 1);
      ++i;
    } else if (c == '<' && iequals(value.substr(i, 4), "<cr>")) {
      out += '\r';
      i += 3;
    } else if (c == '<' && iequals(value.substr(i, 4), "<lf>")) {
      out += '\n';
      i += 3;
    } else {
      out += c;
    }
  }
  return out;
}

std::string to_escapes(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0x1C) {
      out += c;   // ^\ would take the quote behind it along
    } else if (byte < 0x20) {
      out += '^';
      out += static_cast<char>(byte + '@');
    } else if (c == '"' || c == '\\' || c == '^' || c == '<') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace longline::script
