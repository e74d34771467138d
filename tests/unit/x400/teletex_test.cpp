// SPDX-License-Identifier: MIT
#include "x400/teletex.hpp"

#include <doctest/doctest.h>

#include "x400/encoded_words.hpp"

using namespace longline::x400;

TEST_CASE("T.61 writes an accent before its letter") {
  CHECK(to_teletex("Gr\u00FC\u00DFe \u00E0 \u00C5se") == "Gr\xC8u\xFB" "e \xC1" "a \xCA" "Ase");
  CHECK(from_teletex("Gr\xC8u\xFB" "e \xC1" "a") == "Gr\u00FC\u00DFe \u00E0");
  CHECK(from_teletex("\xCF" "c") == "c\u030C");
  CHECK(to_teletex("#$ \u20AC \u4E2D \xFF") == "\xA6\xA4 ? ? ?");
  CHECK(from_teletex("\xA6\xA4#$") == "#$#$");
  CHECK(from_teletex("a\xC8") == "a?");
  CHECK(from_teletex("\xC8\xC8u\x1B[2J\x80") == "?\u00FC[2J?");
  CHECK(from_teletex("\xC8") == "?");
  CHECK(to_teletex("a\r\nb") == "a  b");
  std::string all;
  for (unsigned c = 0xA0; c < 0x100; ++c) all += {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
  const std::string there = to_teletex(all);
  CHECK(to_teletex(from_teletex(there)) == there);
}

TEST_CASE("encoded words") {
  CHECK(decode_words("=?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?UTF-8?B?IGFu?= Ann") == "Gr\u00FC\u00DFe an Ann");
  CHECK(decode_words("=?iso-8859-1*de?q?a_=FC?= x") == "a \u00FC x");
  CHECK(decode_words("a =?koi8-r?Q?=C1?= b") == "a =?koi8-r?Q?=C1?= b");
  CHECK(decode_words("=?utf-8?B?*?=") == "=?utf-8?B?*?=");
  CHECK(decode_words("=?utf-8?Q?a=0D=0Ab=ZZ=?=\t!") == "a  b=ZZ= !");
  CHECK(decode_words("=?") == "=?");
  std::string unclosed;
  for (int i = 0; i < 100'000; ++i) unclosed += "=?utf-8?Q?y";
  CHECK(decode_words(unclosed) == unclosed);   // and not in a time that grows with its square
  CHECK(decode_words("=?utf-8?Q?") == "=?utf-8?Q?");
}

TEST_CASE("bodies") {
  CHECK(decode_quoted_printable("a=3Db=\r\nc=") == "a=bc=");
  CHECK(decode_quoted_printable("=4") == "=4");
  CHECK(decode_base64_lines("aGVs\r\nbG8=\r\n") == "hello");
  CHECK(decode_base64_lines("aGVsbG8").empty() == false);
  CHECK(decode_base64_lines("***").empty());
}
