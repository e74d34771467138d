// SPDX-License-Identifier: MIT
#include "x400/mts_bind.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

TEST_CASE("mts bind: name and password") {
  const MtsBind bind = MtsNames{"POC", Secret("secret")};
  const std::string bytes = octets("b011 a10f 8003 504f43 a108 1606 736563726574");
  CHECK(digits(encode_bind_argument(bind)) == digits(bytes));
  CHECK(digits(encode_bind_result(bind)) == "b1" + digits(bytes).substr(2));
  const auto read = decode_bind(bytes);
  REQUIRE(read);
  REQUIRE(*read);
  CHECK((*read)->name == "POC");
  CHECK((*read)->password.reveal() == "secret");
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decode_bind(std::string_view(bytes).substr(0, n)));
}

TEST_CASE("mts bind: no names, no password, X.410 mode's form, other encodings") {
  CHECK(digits(encode_bind_argument({})) == "b0020500");
  CHECK_FALSE(decode_bind(octets("b002 0500")).value());
  CHECK_FALSE(decode_bind(octets("0500")).value());
  const auto bare = decode_bind(octets("a10d 8001 41 a108 1606 736563726574"));
  REQUIRE(bare);
  CHECK((*bare)->name == "A");
  const auto nameless = decode_bind(octets("b105 a103 8001 41"));
  REQUIRE(nameless);
  CHECK((*nameless)->password.empty());
  // An explicit tag around the name, an octet password in pieces, the password first, a security context behind.
  const auto odd = decode_bind(octets("b080 a180 a180 2480 0403 736563 0403 726574 0000 0000 a080 1603 504f43 0000 a202 3000 0000 0000"));
  REQUIRE(odd);
  CHECK((*odd)->name == "POC");
  CHECK((*odd)->password.reveal() == "secret");
}

TEST_CASE("mts bind: strong credentials are refused in plain words; the bounds") {
  const auto strong = decode_bind(octets("b00b a109 8001 41 a104 a002 3000"));
  REQUIRE_FALSE(strong);
  CHECK(strong.error().code == Errc::auth_refused);
  CHECK(strong.error().what == "the peer's bind has [0] where a simple password was expected");
  CHECK_FALSE(decode_bind(octets("b080 a180 80820101") + std::string(257, 'n') + octets("0000 0000")));
  CHECK_FALSE(decode_bind(octets("b080 a180 800141 a180 16820401") + std::string(1025, 'p') + octets("0000 0000 0000")));
  CHECK_FALSE(decode_bind(octets("b002 0201")));
  CHECK_FALSE(decode_bind(octets("b005 a103 a101 00")));
}

TEST_CASE("mts bind: errors") {
  CHECK(digits(encode_bind_error(BindError::authentication_error)) == "b203020102");
  CHECK(decode_bind_error(octets("b203 020100")).value() == 0);
  CHECK(decode_bind_error(octets("020103")).value() == 3);
  CHECK_FALSE(decode_bind_error(octets("b200")));
}

TEST_CASE("mts bind: secrets are compared as a whole") {
  CHECK(same_secret("", ""));
  CHECK(same_secret("secret", "secret"));
  CHECK_FALSE(same_secret("", "secret"));
  CHECK_FALSE(same_secret("secret", ""));
  CHECK_FALSE(same_secret("secretsecret", "secret"));
  CHECK_FALSE(same_secret("secre", "secret"));
  CHECK_FALSE(same_secret("Secret", "secret"));
}
