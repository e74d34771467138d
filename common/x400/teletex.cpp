// SPDX-License-Identifier: MIT
#include "x400/teletex.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace longline::x400 {
namespace {

struct Mark {
  unsigned char teletex;
  char32_t combining;
};
/// T.61, table 2: column 12.
constexpr std::array kMarks = {Mark{0xC1, 0x300}, Mark{0xC2, 0x301}, Mark{0xC3, 0x302}, Mark{0xC4, 0x303}, Mark{0xC5, 0x304}, Mark{0xC6, 0x306},
                               Mark{0xC7, 0x307}, Mark{0xC8, 0x308}, Mark{0xCA, 0x30A}, Mark{0xCB, 0x327}, Mark{0xCD, 0x30B}, Mark{0xCE, 0x328},
                               Mark{0xCF, 0x30C}};

struct Symbol {
  unsigned char teletex;
  char32_t character;
};
constexpr std::array kSymbols = {
    Symbol{0xA1, 0xA1},  Symbol{0xA2, 0xA2},  Symbol{0xA3, 0xA3},  Symbol{0xA4, '$'},   Symbol{0xA5, 0xA5},  Symbol{0xA6, '#'},   Symbol{0xA7, 0xA7},
    Symbol{0xA8, 0xA4},  Symbol{0xAB, 0xAB},  Symbol{0xB0, 0xB0},  Symbol{0xB1, 0xB1},  Symbol{0xB2, 0xB2},  Symbol{0xB3, 0xB3},  Symbol{0xB4, 0xD7},
    Symbol{0xB5, 0xB5},  Symbol{0xB6, 0xB6},  Symbol{0xB7, 0xB7},  Symbol{0xB8, 0xF7},  Symbol{0xBB, 0xBB},  Symbol{0xBC, 0xBC},  Symbol{0xBD, 0xBD},
    Symbol{0xBE, 0xBE},  Symbol{0xBF, 0xBF},  Symbol{0xE1, 0xC6},  Symbol{0xE2, 0x110}, Symbol{0xE3, 0xAA},  Symbol{0xE4, 0x126}, Symbol{0xE6, 0x132},
    Symbol{0xE7, 0x13F}, Symbol{0xE8, 0x141}, Symbol{0xE9, 0xD8},  Symbol{0xEA, 0x152}, Symbol{0xEB, 0xBA},  Symbol{0xEC, 0xDE},  Symbol{0xED, 0x166},
    Symbol{0xEE, 0x14A}, Symbol{0xEF, 0x149}, Symbol{0xF0, 0x138}, Symbol{0xF1, 0xE6},  Symbol{0xF2, 0x111}, Symbol{0xF3, 0xF0},  Symbol{0xF4, 0x127},
    Symbol{0xF5, 0x131}, Symbol{0xF6, 0x133}, Symbol{0xF7, 0x140}, Symbol{0xF8, 0x142}, Symbol{0xF9, 0xF8},  Symbol{0xFA, 0x153}, Symbol{0xFB, 0xDF},
    Symbol{0xFC, 0xFE},  Symbol{0xFD, 0x167}, Symbol{0xFE, 0x14B}};

/// U+00C0…U+00FF: the letter, and T.61's mark before it; mark 1 where it is none of those.
constexpr std::string_view kLatinLetters = "AAAAAA.CEEEEIIII.NOOOOO..UUUUY..aaaaaa.ceeeeiiii.nooooo..uuuuy.y";
constexpr std::string_view kLatinMarks =
    "\xC1\xC2\xC3\xC4\xC8\xCA\x01\xCB\xC1\xC2\xC3\xC8\xC1\xC2\xC3\xC8\x01\xC4\xC1\xC2\xC3\xC4\xC8\x01\x01\xC1\xC2\xC3\xC8\xC2\x01\x01"
    "\xC1\xC2\xC3\xC4\xC8\xCA\x01\xCB\xC1\xC2\xC3\xC8\xC1\xC2\xC3\xC8\x01\xC4\xC1\xC2\xC3\xC4\xC8\x01\x01\xC1\xC2\xC3\xC8\xC2\x01\xC8";
static_assert(kLatinMarks.size() == 64 && kLatinLetters.size() == 64);

void put_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

/// One character of two bytes, or what is there: 0 for "cannot be said".
char32_t take_utf8(std::string_view& rest) {
  const auto byte = [&](std::size_t i) { return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0u; };
  const unsigned first = byte(0);
  std::size_t length = 1;
  char32_t out = first < 0x80 ? first : 0;
  if (first >= 0xC2 && first < 0xE0 && (byte(1) & 0xC0) == 0x80) {
    out = (first & 0x1F) << 6 | (byte(1) & 0x3F);
    length = 2;
  } else if (first >= 0xE0) {
    while (length < 4 && (byte(length) & 0xC0) == 0x80) ++length;
  }
  rest.remove_prefix(length);
  return out;
}

/// False: it is no letter with a mark.
bool decompose(char32_t c, std::string& out) {
  if (c < 0xC0 || c > 0xFF) return false;
  const auto mark = static_cast<unsigned char>(kLatinMarks[c - 0xC0]);
  if (mark == 1) return false;
  out += static_cast<char>(mark);
  out += kLatinLetters[c - 0xC0];
  return true;
}

char32_t compose(unsigned char mark, char letter) {
  for (std::size_t i = 0; i < kLatinMarks.size(); ++i) {
    if (static_cast<unsigned char>(kLatinMarks[i]) == mark && kLatinLetters[i] == letter) return static_cast<char32_t>(0xC0 + i);
  }
  return 0;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::string from_teletex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      if ((byte >= ' ' && byte != 0x7F) || byte == '\t' || byte == '\r' || byte == '\n') out += text[i];
      continue;
    }
    const auto mark = std::find_if(kMarks.begin(), kMarks.end(), [&](const Mark& m) { return m.teletex == byte; });
    if (mark != kMarks.end()) {
      if (i + 1 >= text.size() || !is_letter(text[i + 1])) {
        out += '?';
        continue;
      }
      const char letter = text[++i];
      if (const char32_t whole = compose(byte, letter)) {
        put_utf8(out, whole);
      } else {
        out += letter;
        put_utf8(out, mark->combining);
      }
      continue;
    }
    const auto symbol = std::find_if(kSymbols.begin(), kSymbols.end(), [&](const Symbol& s) { return s.teletex == byte; });
    if (symbol == kSymbols.end()) out += '?';
    else put_utf8(out, symbol->character);
  }
  return out;
}

std::string to_teletex(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char32_t c = take_utf8(text);
    if (c >= ' ' && c < 0x7F && c != '#' && c != '$') {
      out += static_cast<char>(c);
      continue;
    }
    if (c == 0 || decompose(c, out)) {
      if (c == 0) out += '?';
      continue;
    }
    const auto symbol = std::find_if(kSymbols.begin(), kSymbols.end(), [&](const Symbol& s) { return s.character == c; });
    if (symbol != kSymbols.end()) out += static_cast<char>(symbol->teletex);
    else out += c < ' ' ? ' ' : '?';
  }
  return out;
}

}  // namespace longline::x400
