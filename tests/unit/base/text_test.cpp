// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <doctest/doctest.h>

using namespace longline;

TEST_CASE("escape leaves text alone and shows controls, bad UTF-8 and terminal tricks") {
  CHECK(escape("plain text") == "plain text");
  CHECK(escape("Grüße, ☃") == "Grüße, ☃");
  CHECK(escape("a\r\n\tb\\") == "a\\r\\n\\tb\\\\");
  CHECK(escape(std::string_view("\0\x1b[2J\x7f", 6)) == "\\x00\\x1B[2J\\x7F");
  CHECK(escape("\xff\xc3") == "\\xFF\\xC3");
  CHECK(escape("\xc0\xaf") == "\\xC0\\xAF");            // overlong
  CHECK(escape("\xed\xa0\x80") == "\\xED\\xA0\\x80");    // a surrogate
  CHECK(escape("\xc2\x9b") == "\\xC2\\x9B");            // C1 CSI
  CHECK(escape("\xe2\x80\xae" "x") == "\\xE2\\x80\\xAEx");  // right-to-left override
  CHECK(quote("say \"hi\"\n") == "\"say \\\"hi\\\"\\n\"");
}

TEST_CASE("what is escaped already is not escaped twice") {
  const std::string once = escape("ev\x1b[31mil \\ \xff");
  CHECK(printable_at_most(once, 100) == once);
  CHECK(printable_at_most("raw \x1b[2J\n", 100) == "raw \\x1B[2J\\n");
  CHECK(printable_at_most("abcdefg", 6) == "abcdef…");
}

TEST_CASE("escape_at_most cuts between characters") {
  CHECK(escape_at_most("abcdef", 6) == "abcdef");
  CHECK(escape_at_most("abcdefg", 6) == "abcdef…");
  CHECK(escape_at_most("abcd\x01", 6) == "abcd…");
}

TEST_CASE("nearest finds the slip of a finger and nothing else") {
  CHECK(nearest("nubmers", {"number", "numbers", "name"}) == "numbers");
  CHECK(nearest("scirpt", {"script", "speed"}) == "script");
  CHECK(nearest("ips", {"hub", "isp"}) == "isp");
  CHECK_FALSE(nearest("zzz", {"script", "speed"}));
}

TEST_CASE("characters have their bytes") {
  CHECK(character_length("ab") == 1);
  CHECK(character_length("öb") == 2);
  CHECK(character_length("€") == 3);
  CHECK(character_length("𝄞x") == 4);
  for (const char* none : {"\xF6rg", "\xC3", "\xE2\x82", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) CHECK(character_length(none) == 1);
}

TEST_CASE("sizes read and print") {
  CHECK(*parse_size("4096") == 4096);
  CHECK(*parse_size("200k") == 200'000);
  CHECK(*parse_size("2Ki") == 2048);
  CHECK(*parse_size("5MB") == 5'000'000);
  for (const char* bad : {"", "k", "-1", "5x", "5kk", "99999999999G"}) CHECK_FALSE(parse_size(bad));
  CHECK(*parse_size("1.5MiB") == 1'572'864);
  CHECK(*parse_size("1.5k") == 1'500);
  CHECK(*parse_size("0.3M") == 300'000);
  CHECK(*parse_size("1.1Ki") == 1'126);   // 1126.4
  CHECK(*parse_size("8589934591.999999999Gi") == 9'223'372'036'854'775'806);
  CHECK(*parse_size("2.000000001GB") == 2'000'000'001);
  for (const char* bad : {"1.", "1.k", ".5", ".5k", "1.5.2", "1.5.2k", "1e3", "1.5e3", "1.5", "1.5B", "0.0001k", "1,5k", "1.0000000001G", "-0", "-1.5k",
                          "9223372036854775808", "8589934592Gi", "9223372036.9G", "1.5 k"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad));
  }
  CHECK(parse_size("\x1B[31m").error().what.find('\x1B') == std::string::npos);
  CHECK(format_size(17) == "17 B");
  CHECK(format_size(2200) == "2.2 kB");
  CHECK(format_size(999'960) == "1.0 MB");
}
