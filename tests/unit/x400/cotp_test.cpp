// SPDX-License-Identifier: MIT
#include "x400/cotp.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

template <class T>
T decoded_tpdu(std::string_view text) {
  auto tpdu = decode_cotp(octets(text));
  REQUIRE_MESSAGE(tpdu, text);
  REQUIRE(std::holds_alternative<T>(*tpdu));
  return std::get<T>(*tpdu);
}

std::string wrong_tpdu(std::string_view text) {
  auto tpdu = decode_cotp(octets(text));
  if (tpdu) return "";
  CHECK(tpdu.error().code == Errc::protocol);
  return tpdu.error().what;
}

}  // namespace

TEST_CASE("a bare connection request as Exchange sends it") {
  const auto request = decoded_tpdu<CotpConnect>("09 e0 00 00 08 5a 00 c0 01 0b");
  CHECK_FALSE(request.confirms);
  CHECK(request.source == 0x085a);
  CHECK(request.tpdu_size == 2048);
  CHECK_FALSE(request.called_selector);
  CHECK(hex(encode(request)) == "09 e0 00 00 08 5a 00 c0 01 0b");
}

TEST_CASE("requests without parameters, and with selectors and what nobody knows") {
  CHECK(decoded_tpdu<CotpConnect>("06 e0 00 00 00 01 00") == CotpConnect{false, 0, 1});
  const auto request = decoded_tpdu<CotpConnect>("15 e0 00 00 00 01 00 c1 02 'ab' c6 01 ff c2 03 'mta' c0 01 07");
  CHECK(request.calling_selector == "ab");
  CHECK(request.called_selector == "mta");
  CHECK(request.tpdu_size == 128);
  // A credit in the low bits is nobody's business.
  CHECK(decoded_tpdu<CotpConnect>("06 ef 00 00 00 01 00").source == 1);
}

TEST_CASE("every TPDU comes back as it was written") {
  const auto again = [](const CotpTpdu& tpdu) {
    const std::string bytes = std::visit([](const auto& t) { return encode(t); }, tpdu);
    const auto back = decode_cotp(bytes);
    REQUIRE(back);
    CHECK(*back == tpdu);
  };
  again(CotpConnect{true, 7, 0xfffe, 4, 8192, "", std::string(64, 'x')});
  again(CotpDisconnect{1, 2, 3});
  again(CotpError{513, 2});
  again(CotpData{"abc", false});
  again(CotpData{"", true});
  CHECK(hex(encode(CotpData{"", true})) == "02 f0 80");
  CHECK(hex(encode(CotpDisconnect{0x102, 0, 3})) == "06 80 01 02 00 00 03");
}

TEST_CASE("what is cut short is an error at every length") {
  const std::string whole = octets("15 e0 00 00 00 01 00 c1 02 'ab' c6 01 ff c2 03 'mta' c0 01 07");
  for (std::size_t k = 0; k < whole.size(); ++k) CHECK_FALSE(decode_cotp(std::string_view(whole).substr(0, k)));
  // Cut with a length indicator that agrees: between two parameters it is a shorter request.
  for (std::size_t k = 1; k < whole.size(); ++k) {
    std::string shorter = whole.substr(0, k);
    shorter[0] = static_cast<char>(k - 1);
    const bool between = k == 7 || k == 11 || k == 14 || k == 19;
    CHECK(decode_cotp(shorter).has_value() == between);
  }
}

TEST_CASE("what class 0 does not have is refused in words") {
  CHECK(wrong_tpdu("02 f0") == "the peer's TPDU is cut short");
  CHECK(wrong_tpdu("ff e0 00") == "the peer's TPDU is cut short");
  CHECK(wrong_tpdu("00 e0") == "the peer's TPDU is cut short");
  CHECK(wrong_tpdu("01 10") == "the peer sent a TPDU that class 0 does not have: 0x10");
  CHECK(wrong_tpdu("04 f0 00 00 80 'a'") == "the peer's data TPDU is not one of class 0");
  CHECK(wrong_tpdu("09 e0 00 00 00 01 00 c0 01 0e") == "the peer names a TPDU size of 2^14, which is not one");
  CHECK(wrong_tpdu("0a e0 00 00 00 01 00 c0 02 00 0b") == "the peer's TPDU size has 2 octets, not 1");
  CHECK(wrong_tpdu("08 e0 00 00 00 01 00 c1 41") == "the peer's connection request is cut short");
}
