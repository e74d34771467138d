// SPDX-License-Identifier: MIT
#include "x400/encoded_words.hpp"

#include <optional>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestWord = 512;   // RFC 2047 allows 75

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// "=XX" at `at`; -1: it is none.
int hex_byte(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

struct Word {
  std::string text;
  std::size_t size = 0;   ///< of the encoded word
};

/// The encoded word at the start; nullopt: there is none, or it cannot be decoded.
std::optional<Word> take_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  text = text.substr(0, kLongestWord);
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size() || text[charset_end + 2] != '?') return std::nullopt;
  const std::size_t from = charset_end + 3;
  const std::size_t end = text.find("?=", from);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view charset = text.substr(2, charset_end - 2);
  charset = charset.substr(0, charset.find('*'));
  const bool latin1 = iequals(charset, "iso-8859-1");
  if (!latin1 && !iequals(charset, "utf-8") && !iequals(charset, "us-ascii")) return std::nullopt;
  const std::string_view body = text.substr(from, end - from);
  std::string decoded;
  if (iequals(text.substr(charset_end + 1, 1), "B")) {
    const auto bytes = from_base64(body);
    if (!bytes) return std::nullopt;
    decoded = *bytes;
  } else if (iequals(text.substr(charset_end + 1, 1), "Q")) {
    for (std::size_t i = 0; i < body.size(); ++i) {
      const int byte = body[i] == '=' ? hex_byte(body, i) : -1;
      if (byte >= 0) i += 2;
      decoded += byte >= 0 ? static_cast<char>(byte) : body[i] == '_' ? ' ' : body[i];
    }
  } else {
    return std::nullopt;
  }
  return Word{latin1 ? from_latin1(decoded) : decoded, end + 2};
}

}  // namespace

std::string from_latin1(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

std::string decode_words(std::string_view text) {
  std::string out;
  std::size_t blanks = 0;        // at the end of `out`, behind an encoded word: not shown before another one
  bool after_word = false;
  while (!text.empty()) {
    if (const auto word = take_word(text)) {
      if (after_word) out.resize(out.size() - blanks);
      out += word->text;
      text.remove_prefix(word->size);
      after_word = true;
      blanks = 0;
      continue;
    }
    const char c = text.front();
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    after_word = after_word && blank;
    blanks = blank ? blanks + 1 : 0;
    out += c;
    text.remove_prefix(1);
  }
  for (char& c : out) {
    if (is_control(c)) c = ' ';
  }
  return out;
}

std::string decode_quoted_printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '=' ? hex_byte(text, i) : -1;
    if (byte >= 0) {
      out += static_cast<char>(byte);
      i += 2;
    } else if (text.substr(i).starts_with("=\r\n")) {
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string decode_base64_lines(std::string_view text) {
  std::string joined;
  for (const char c : text) {
    if (c != '\r' && c != '\n' && c != ' ' && c != '\t') joined += c;
  }
  joined.resize(joined.size() / 4 * 4);
  return from_base64(joined).value_or("");
}

}  // namespace longline::x400
