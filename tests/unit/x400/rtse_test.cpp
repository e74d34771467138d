// SPDX-License-Identifier: MIT
#include "x400/rtse.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

TEST_CASE("rtse: the opening") {
  const TransferOpen open{30, 5, 1, {octets("b002 0500"), {}}};
  const std::string bytes = octets("b011 80011e 810105 820101 a306 a004 b002 0500");
  CHECK(digits(encode_open(open)) == digits(bytes));
  CHECK(decode_open(bytes).value() == open);
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decode_open(std::string_view(bytes).substr(0, n)));
}

TEST_CASE("rtse: defaults, in a SET of any order") {
  const auto open = decode_open(octets("b006 a304 a002 0500"));
  REQUIRE(open);
  CHECK(*open == TransferOpen{0, 3, 0, {octets("0500"), {}}});
  const auto other = decode_open(octets("b080 a380 a080 0500 0000 0000 820101 8901 00 810102 80020100 0000"));
  REQUIRE(other);
  CHECK(*other == TransferOpen{256, 2, 1, {octets("0500"), {}}});
  const auto accept = decode_open_accept(octets("b106 a204 a002 0500"));
  REQUIRE(accept);
  CHECK(*accept == TransferAccept{0, 3, {octets("0500"), {}}});
}

TEST_CASE("rtse: recovery names the session by an IMPLICIT sequence") {
  const SessionId id{octets("0403 78797a"), octets("170d 3236313132323233313035315a"), octets("1402 6162")};
  const TransferOpen open{15, 3, 1, {{}, id}};
  const std::string bytes = octets("b025 80010f 810103 820101 a31a a118 0403 78797a 170d 3236313132323233313035315a 8002 6162");
  CHECK(digits(encode_open(open)) == digits(bytes));
  CHECK(decode_open(bytes).value() == open);
  // In pieces and with a long length: the same session.
  const auto read = decode_open(octets("b080 80010f 810103 820101 a380 a180 2480 0401 78 0402 797a 0000"
                                     "17810d 3236313132323233313035315a a080 0402 6162 0000 0000 0000 0000"));
  REQUIRE(read);
  CHECK(*read == open);
  CHECK_FALSE(decode_open(octets("b009 a307 a105 0403 78797a")));
  const std::string huge(65, 'x');
  CHECK_FALSE(decode_open(octets("b080 a380 a180 0441") + huge + octets("1700 0000 0000 0000")));
}

TEST_CASE("rtse: sizes out of range") {
  CHECK_FALSE(decode_open(octets("b009 8001ff a304 a002 0500")));
  CHECK(decode_open(octets("b00e 8006 7fffffffffff a304 a002 0500"))->checkpoint_size == 1u << 20);
  CHECK_FALSE(decode_open(octets("b014 800c 7fffffffffffffffffffffff a304 a002 0500")));
}

TEST_CASE("rtse: accept and refuse") {
  const TransferAccept accept{15, 3, {octets("b102 0500"), {}}};
  const std::string bytes = octets("b10e 80010f 810103 a206 a004 b102 0500");
  CHECK(digits(encode_open_accept(accept)) == digits(bytes));
  CHECK(decode_open_accept(bytes).value() == accept);

  const TransferRefuse bind{{}, octets("b203 020102")};
  CHECK(digits(encode_open_refuse(bind)) == digits(octets("b207 a105 b203 020102")));
  CHECK(decode_open_refuse(octets("b207 a105 b203 020102")).value() == bind);
  CHECK(decode_open_refuse(octets("b203 800101")).value() == TransferRefuse{1, ""});
  CHECK(decode_open_refuse(octets("b200")).value() == TransferRefuse{});
  CHECK_FALSE(decode_open_refuse(octets("b103 800101")));
}

TEST_CASE("rtse: turn and abort") {
  CHECK(digits(encode_turn_priority(1)) == "020101");
  CHECK(decode_turn_priority(octets("020103")).value() == 3);
  CHECK_FALSE(decode_turn_priority(octets("040103")));
  CHECK(digits(encode_transfer_abort({7})) == "b603800107");
  CHECK(decode_transfer_abort(octets("b608 800104 8101 00 a200")).value().reason == 4);
  CHECK(decode_transfer_abort(octets("b600")).value() == TransferAbort{});
  CHECK(abort_reason_text(3) == "a temporary problem");
  CHECK(abort_reason_text(99) == "a reason that is not known");
}
