// SPDX-License-Identifier: MIT
#include "x400/acse.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

const std::string kRequest = octets("601a a106 0604 56000106 be10 280e 0602 5101 0201 03 a005 b003 800100");

void cut_acse_everywhere(const std::string& bytes) {
  CHECK(decode_acse(bytes));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto cut = decode_acse(std::string_view(bytes).substr(0, n));
    REQUIRE_FALSE(cut);
    REQUIRE(cut.error().code == Errc::malformed);
  }
}

}  // namespace

TEST_CASE("acse: an association's request") {
  AssociateRequest request{std::string(kMtsTransferContext), AssociationData{3, octets("b003 800100")}};
  CHECK(digits(encode_acse(request)) == digits(kRequest));
  const auto read = decode_acse(kRequest);
  REQUIRE(read);
  const auto& got = std::get<AssociateRequest>(*read);
  CHECK(got.context_name == "2.6.0.1.6");
  CHECK(got.data == request.data);
  cut_acse_everywhere(kRequest);
}

TEST_CASE("acse: protocol version, titles and indefinite lengths are taken") {
  const auto read = decode_acse(octets(
      "6080 8002 0780 a180 0604 56000106 0000 a604 0602 5101 a703 0201 07 be80 2880 0602 5101 0201 03 a080 b080 8001 00 0000 0000 0000 0000 0000"));
  REQUIRE(read);
  const auto& got = std::get<AssociateRequest>(*read);
  CHECK(got.context_name == "2.6.0.1.6");
  CHECK(got.data == AssociationData{3, octets("b080 8001 00 0000")});
}

TEST_CASE("acse: answers") {
  AssociateResponse response{std::string(kMtsTransferContext), 1, false, 2, {}};
  const std::string bytes = octets("6114 a106 0604 56000106 a203 020101 a305 a103 020102");
  CHECK(digits(encode_acse(response)) == digits(bytes));
  const auto read = decode_acse(bytes);
  REQUIRE(read);
  const auto& got = std::get<AssociateResponse>(*read);
  CHECK(got.result == 1);
  CHECK(got.diagnostic == 2);
  CHECK_FALSE(got.by_provider);
  CHECK_FALSE(got.data);
  CHECK(diagnostic_text(false, 2) == "the application context is not supported");
  cut_acse_everywhere(bytes);

  const auto provider = decode_acse(octets("6114 a106 0604 56000106 a203 020101 a305 a203 020102"));
  REQUIRE(provider);
  CHECK(std::get<AssociateResponse>(*provider).by_provider);
  CHECK(diagnostic_text(true, 2) == "no common version of association control");
}

TEST_CASE("acse: release and abort") {
  CHECK(digits(encode_acse(ReleaseRequest{})) == "6203800100");
  CHECK(digits(encode_acse(ReleaseResponse{})) == "6303800100");
  CHECK(std::get<ReleaseRequest>(*decode_acse(octets("6203 80011e"))).reason == 30);
  CHECK(std::get<ReleaseResponse>(*decode_acse(octets("6300"))).reason == 0);
  const AssociationAbort abort{false, AssociationData{3, octets("b603 800103")}};
  const std::string bytes = octets("6415 800100 be10 280e 0602 5101 0201 03 a005 b603 800103");
  CHECK(digits(encode_acse(abort)) == digits(bytes));
  const auto read = decode_acse(bytes);
  REQUIRE(read);
  CHECK_FALSE(std::get<AssociationAbort>(*read).by_provider);
  CHECK(std::get<AssociationAbort>(*read).data == abort.data);
  CHECK(std::get<AssociationAbort>(*decode_acse(octets("6403 800101"))).by_provider);
}

TEST_CASE("acse: what is none of its APDUs") {
  CHECK_FALSE(decode_acse(octets("6500")));
  CHECK_FALSE(decode_acse(octets("3000")));
  CHECK_FALSE(decode_acse(octets("6000")));
  CHECK_FALSE(decode_acse(octets("")));
  CHECK_FALSE(decode_acse(octets("6010 a106 0604 56000106 be06 3004 0602 5101")));
}
