// SPDX-License-Identifier: MIT
#include "x400/presentation.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

constexpr std::string_view kContexts =
    "a433 300f 0201 01 0604 52010001 3004 0602 5101"
    "     300f 0201 03 0604 5600020c 3004 0602 5101"
    "     300f 0201 05 0604 56000207 3004 0602 5101";

ConnectPpdu connect_with(std::string user_data) {
  ConnectPpdu connect;
  const std::vector<std::string> ber{std::string(kBerSyntax)};
  connect.contexts = {{1, std::string(kAcseSyntax), ber}, {3, std::string(kRtseSyntax), ber}, {5, std::string(kMtseSyntax), ber}};
  connect.user_data = {{1, std::move(user_data)}};
  return connect;
}

/// Every cut of it is malformed, or at least no crash; the whole is not.
template <class Decode>
void cut_everywhere(const std::string& bytes, Decode decode) {
  CHECK(decode(bytes));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto cut = decode(std::string_view(bytes).substr(0, n));
    REQUIRE_FALSE(cut);
    REQUIRE(cut.error().code == Errc::malformed);
  }
}

}  // namespace

TEST_CASE("presentation: a connection's golden bytes") {
  const std::string bytes = octets("3148 a003 800101 a241" + std::string(kContexts) + "610a 3008 0201 01 a003 620100");
  CHECK(digits(encode_connect(connect_with(octets("620100")))) == digits(bytes));
  const auto read = decode_connect(bytes);
  REQUIRE(read);
  CHECK(read->normal_mode);
  CHECK(read->contexts == connect_with("").contexts);
  CHECK(read->user_data == std::vector<Pdv>{{1, octets("620100")}});
  cut_everywhere(bytes, [](std::string_view b) { return decode_connect(b); });
}

TEST_CASE("presentation: indefinite lengths, protocol version, selectors and unknown parameters") {
  const std::string bytes = octets(
      "3180 a280 8002 0780 8104 43414c4c 8202 5354 "
      "a480 3080 0201 01 0604 52010001 3080 0602 5101 0000 0000 0000 8802 0600 bf5501 00"
      "6180 3080 0602 5101 0201 01 a080 6280 8001 00 0000 0000 0000 0000 0000 a080 8001 01 0000 0000");
  const auto read = decode_connect(bytes);
  REQUIRE(read);
  CHECK(read->normal_mode);
  CHECK(read->calling_selector == "CALL");
  CHECK(read->called_selector == "ST");
  REQUIRE(read->contexts.size() == 1);
  CHECK(read->contexts[0].abstract_syntax == kAcseSyntax);
  CHECK(read->user_data == std::vector<Pdv>{{1, octets("6280 8001 00 0000")}});
}

TEST_CASE("presentation: X.410 mode is seen, whatever else is in it") {
  const auto connect = decode_connect(octets("3119 a003 800100 a112 80013f 820101 a306 a004 a1028000 84020081"));
  REQUIRE(connect);
  CHECK_FALSE(connect->normal_mode);
  const auto accept = decode_accept(octets("3111 a003 800100 a10a 80013f 810103 a202 a000"));
  REQUIRE(accept);
  CHECK_FALSE(accept->normal_mode);
  const auto refuse = decode_refuse(octets("3103 800102"));
  REQUIRE(refuse);
  CHECK_FALSE(refuse->normal_mode);
  CHECK(refuse->x410_reason == 2);
  RefusePpdu ours;
  ours.normal_mode = false;
  ours.x410_reason = 3;
  CHECK(digits(encode_refuse(ours)) == "3103800103");
}

TEST_CASE("presentation: the answer, with contexts taken and refused") {
  AcceptPpdu accept;
  accept.results = {{0, std::string(kBerSyntax), {}}, {2, "", 1}};
  accept.user_data = {{1, octets("610100")}};
  const std::string bytes = octets("3126 a003 800101 a21f a511 3007 800100 8102 5101 3006 800102 820101 610a 3008 0201 01 a003 610100");
  CHECK(digits(encode_accept(accept)) == digits(bytes));
  const auto read = decode_accept(bytes);
  REQUIRE(read);
  CHECK(read->normal_mode);
  CHECK(read->results == accept.results);
  CHECK(read->user_data == accept.user_data);
  cut_everywhere(bytes, [](std::string_view b) { return decode_accept(b); });
}

TEST_CASE("presentation: refusals of the user and of the provider") {
  RefusePpdu refuse;
  refuse.results = {{0, std::string(kBerSyntax), {}}};
  refuse.user_data = {{1, octets("610100")}};
  const std::string bytes = octets("3017 a509 3007 800100 8102 5101 610a 3008 0201 01 a003 610100");
  CHECK(digits(encode_refuse(refuse)) == digits(bytes));
  const auto read = decode_refuse(bytes);
  REQUIRE(read);
  CHECK(read->results == refuse.results);
  CHECK(read->user_data == refuse.user_data);
  CHECK_FALSE(read->provider_reason);
  cut_everywhere(bytes, [](std::string_view b) { return decode_refuse(b); });

  const auto provider = decode_refuse(octets("3003 8a0103"));
  REQUIRE(provider);
  CHECK(provider->provider_reason == 3);
  CHECK(provider_reason_text(3) == "the presentation address is not known there");
  CHECK(decode_refuse(octets("0500")).error().code == Errc::malformed);
}

TEST_CASE("presentation: aborts of the user and of the provider") {
  AbortPpdu abort;
  abort.user_data = {{1, octets("640100")}};
  const std::string bytes = octets("a00c 610a 3008 0201 01 a003 640100");
  CHECK(digits(encode_abort(abort)) == digits(bytes));
  const auto read = decode_abort(bytes);
  REQUIRE(read);
  CHECK_FALSE(read->by_provider);
  CHECK(read->user_data == abort.user_data);
  // With the list of contexts before the data.
  const auto listed = decode_abort(octets("a017 a009 3007 0201 01 0602 5101 610a 3008 0201 01 a003 640100"));
  REQUIRE(listed);
  CHECK(listed->user_data == abort.user_data);

  const auto provider = decode_abort(octets("3006 800103 810100"));
  REQUIRE(provider);
  CHECK(provider->by_provider);
  CHECK(provider->reason == 3);
  const auto x410 = decode_abort(octets("3103 800103"));
  REQUIRE(x410);
  CHECK_FALSE(x410->by_provider);
  CHECK(x410->reason == 3);
  AbortPpdu ours;
  ours.by_provider = true;
  CHECK(digits(encode_abort(ours)) == "3000");
}

TEST_CASE("presentation: a segment") {
  CHECK(digits(encode_segment(3, "abc")) == digits(octets("610c 300a 0201 03 a005 0403 616263")));
  for (const std::size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 15360u, 70000u}) {
    const std::string segment(size, 'x');
    const auto read = decode_segment(encode_segment(5, segment));
    REQUIRE(read);
    CHECK(read->context == 5);
    CHECK(read->bytes == segment);
    CHECK(encode_segment(5, segment) == encode_user_data({{5, decode_user_data(encode_segment(5, segment))->front().value}}));
  }
  // As octets in pieces with indefinite lengths; as octet-aligned.
  const auto pieces = decode_segment(octets("6180 3080 0201 03 a080 2480 0401 61 2480 0402 6263 0000 0000 0000 0000 0000"));
  REQUIRE(pieces);
  CHECK(pieces->bytes == "abc");
  const auto aligned = decode_segment(octets("610c 300a 0201 03 8105 0403 616263"));
  REQUIRE(aligned);
  CHECK(aligned->bytes == "abc");
  CHECK_FALSE(decode_segment(octets("610a 3008 0201 03 a003 020101")));
  CHECK_FALSE(decode_segment(octets("600401020304")));
  CHECK_FALSE(decode_segment(octets("6118 300a 0201 03 a005 0403 616263 300a 0201 03 a005 0403 616263")));
  cut_everywhere(encode_segment(3, "abc"), [](std::string_view b) { return decode_segment(b); });
}

TEST_CASE("presentation: more contexts or values than anybody needs") {
  std::string contexts;
  std::string values;
  for (int i = 0; i < 65; ++i) {
    contexts += octets("300f 0201 01 0604 52010001 3004 0602 5101");
    values += octets("3008 0201 01 a003 620100");
  }
  const auto wrap = [](std::string_view head, const std::string& inside) { return octets(head) + inside + octets("0000"); };
  CHECK_FALSE(decode_user_data(wrap("6180", values)));
  const std::string connect = wrap("3180", octets("a003 800101") + wrap("a280", wrap("a480", contexts)));
  const auto read = decode_connect(connect);
  REQUIRE_FALSE(read);
  CHECK(read.error().what.find("too many presentation contexts") != std::string::npos);
}
