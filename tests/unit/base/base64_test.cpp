// SPDX-License-Identifier: MIT
#include "base/base64.hpp"

#include <doctest/doctest.h>

using namespace longline;

TEST_CASE("base64 as in RFC 4648, and back") {
  const char* rows[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& row : rows) {
    CHECK(to_base64(row[0]) == row[1]);
    CHECK(from_base64(row[1]) == std::string(row[0]));
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(from_base64(to_base64(all)) == all);
}

TEST_CASE("what is no base64") {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9 ", "Zm9\n", "=Zm9", "Zm=v", "Zm\x80v"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64(bad));
  }
}
