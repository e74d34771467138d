// SPDX-License-Identifier: MIT
#include "x400/spdu.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

std::vector<Spdu> decoded_spdu(std::string_view text, bool behind_prefix = false) {
  auto spdus = decode_tsdu(octets(text), behind_prefix);
  REQUIRE_MESSAGE(spdus, text);
  return std::move(*spdus);
}

Spdu only(std::string_view text, bool behind_prefix = false) {
  auto spdus = decoded_spdu(text, behind_prefix);
  REQUIRE_MESSAGE(spdus.size() == 1, text);
  return std::move(spdus.front());
}

std::string encoded(const Spdu& spdu) {
  const auto bytes = encode_tsdu(spdu);
  REQUIRE(bytes);
  return hex(*bytes);
}

Spdu of_kind(SpduKind kind) {
  Spdu out;
  out.kind = kind;
  return out;
}

std::string wrong_spdu(std::string_view text, bool behind_prefix = false) {
  const auto spdus = decode_tsdu(octets(text), behind_prefix);
  if (spdus) return "";
  return std::string(to_string(spdus.error().code)) + ": " + spdus.error().what;
}

constexpr std::string_view kConnect =
    "0d 51 01 19 0a 05 14 03 'sat' 0b 10 17 0e '26112604190000' 05 0f 13 01 00 15 04 07 f9 07 f9 16 01 03 1a 01 00 14 02 02 49 34 02 00 02 "
    "c1 1b 31 19 a0 03 80 01 00 a1 12 80 01 3f 82 01 01 a3 06 a0 04 04 02 'ab' 84 02 00 81";

}  // namespace

TEST_CASE("a CONNECT that was seen on the wire is read, and written the same") {
  const Spdu connect = only(kConnect);
  CHECK(connect.kind == SpduKind::connect);
  CHECK(hex(connect.references.user) == "14 03 73 61 74");
  CHECK(connect.references.common.size() == 16);
  CHECK(connect.references.additional.empty());
  CHECK(connect.versions == 3);
  CHECK(connect.token_setting == 0);
  CHECK(connect.tsdu_sizes == 0x07f907f9u);
  CHECK(connect.requirements == kTransferUnits);
  CHECK_FALSE(connect.calling_selector);
  CHECK(connect.called_selector == octets("00 02"));
  CHECK(connect.user_data.size() == 27);
  CHECK(encoded(connect) == hex(octets(kConnect)));
}

TEST_CASE("the SPDUs of the turn, as seen on the wire") {
  const Spdu please = only("02 08 10 01 01 c1 03 02 01 01");
  CHECK(please.kind == SpduKind::please_tokens);
  CHECK(please.tokens == kDataToken);
  CHECK(hex(please.user_data) == "02 01 01");
  CHECK(encoded(please) == "02 08 10 01 01 c1 03 02 01 01");
  CHECK(encoded(only("15 00")) == "15 00");
  CHECK(only("15 00").kind == SpduKind::give_control);
  CHECK(only("16 00").kind == SpduKind::give_control_ack);
}

TEST_CASE("activities and checkpoints have their bytes") {
  Spdu start = of_kind(SpduKind::activity_start);
  start.activity = octets("02 01 01");
  CHECK(encoded(start) == "01 00 2d 05 29 03 02 01 01");
  Spdu data = of_kind(SpduKind::data);
  data.user_data = "abc";
  CHECK(encoded(data) == "01 00 01 00 61 62 63");
  data.enclosure = 1;
  CHECK(encoded(data) == "01 00 01 03 19 01 01 61 62 63");
  Spdu point = of_kind(SpduKind::minor_sync);
  point.serial = 10;
  CHECK(encoded(point) == "01 00 31 04 2a 02 31 30");
  point.explicit_answer = false;
  CHECK(encoded(point) == "01 00 31 07 0f 01 01 2a 02 31 30");
  point = of_kind(SpduKind::minor_sync_ack);
  point.serial = 999999;
  CHECK(encoded(point) == "02 00 32 08 2a 06 39 39 39 39 39 39");
  point = of_kind(SpduKind::activity_end);
  point.serial = 3;
  CHECK(encoded(point) == "01 00 29 03 2a 01 33");
  point = of_kind(SpduKind::activity_end_ack);
  point.serial = 3;
  CHECK(encoded(point) == "02 00 2a 03 2a 01 33");
  Spdu stop = of_kind(SpduKind::activity_interrupt);
  stop.reason = 1;
  CHECK(encoded(stop) == "01 00 19 03 32 01 01");
  stop.kind = SpduKind::activity_discard;
  CHECK(encoded(stop) == "01 00 39 03 32 01 01");
  CHECK(encoded(of_kind(SpduKind::activity_interrupt_ack)) == "02 00 1a 00");
  CHECK(encoded(of_kind(SpduKind::activity_discard_ack)) == "02 00 3a 00");
  Spdu exception = of_kind(SpduKind::exception_data);
  exception.reason = 6;
  CHECK(encoded(exception) == "02 00 30 03 32 01 06");
  Spdu resume = of_kind(SpduKind::activity_resume);
  resume.resumption = {octets("02 01 02"), octets("02 01 01"), 4, "", octets("14 01 'a'"), octets("17 01 'b'"), ""};
  CHECK(encoded(resume) == "01 00 1d 19 21 12 0a 03 14 01 61 0b 03 17 01 62 29 03 02 01 01 2a 01 34 29 03 02 01 02");
}

TEST_CASE("ends of a session have their bytes") {
  Spdu abort = of_kind(SpduKind::abort);
  abort.disconnect = kTransportReleased | kProtocolError;
  CHECK(encoded(abort) == "19 03 11 01 05");
  CHECK(encoded(of_kind(SpduKind::abort_accept)) == "1a 00");
  Spdu finish = of_kind(SpduKind::finish);
  finish.disconnect = kTransportReleased;
  finish.user_data = octets("61 00");
  CHECK(encoded(finish) == "09 07 11 01 01 c1 02 61 00");
  Spdu refuse = of_kind(SpduKind::refuse);
  refuse.disconnect = kTransportReleased;
  refuse.reason = 2;
  refuse.user_data = "why";
  CHECK(encoded(refuse) == "0c 09 11 01 01 32 04 02 77 68 79");
  CHECK(only("0c 09 11 01 01 32 04 02 'why'") == refuse);
  // DISCONNECT with a parameter that is FINISH's
  CHECK(only("0a 03 11 01 01") == of_kind(SpduKind::disconnect));
}

TEST_CASE("GT and PT prefix what they announce, in its TSDU or the one before") {
  CHECK(decoded_spdu("01 00").size() == 1);
  CHECK(only("01 00 01 00 'x'").user_data == "x");
  CHECK(only("02 00 32 03 2a 01 '1'").kind == SpduKind::minor_sync_ack);
  CHECK(only("32 03 2a 01 '1'").kind == SpduKind::minor_sync_ack);
  CHECK(only("31 03 2a 01 '1'").kind == SpduKind::minor_sync);
  // The other prefix than ours is taken too.
  CHECK(only("02 00 31 03 2a 01 '1'").kind == SpduKind::minor_sync);
  // A PT that asks for a token, with an answer behind it.
  const auto both = decoded_spdu("02 03 10 01 01 32 03 2a 01 '1'");
  REQUIRE(both.size() == 2);
  CHECK(both[0].tokens == kDataToken);
  CHECK(both[1].kind == SpduKind::minor_sync_ack);
  // Behind a GT in a TSDU of its own a leading 01 is a DT, elsewhere a GT.
  CHECK(only("01 00 'x'", true).user_data == "x");
  CHECK(wrong_spdu("01 00 'x'") == "malformed: the peer's session data is cut short");
  CHECK(only("01 00 01 00 'x'", true).user_data == octets("01 00 'x'"));
}

TEST_CASE("AB and AI, AA and AIA are told apart") {
  CHECK(only("19 03 11 01 03").kind == SpduKind::abort);
  CHECK(only("01 00 19 03 32 01 01").kind == SpduKind::activity_interrupt);
  CHECK(only("01 00 19 00").kind == SpduKind::activity_interrupt);
  CHECK(only("19 03 32 01 01").kind == SpduKind::activity_interrupt);
  CHECK(only("19 00").kind == SpduKind::abort);
  CHECK(only("19 00", true).kind == SpduKind::activity_interrupt);
  CHECK(only("19 03 11 01 01", true).kind == SpduKind::abort);
  CHECK(only("1a 00").kind == SpduKind::abort_accept);
  CHECK(only("02 00 1a 00").kind == SpduKind::activity_interrupt_ack);
}

TEST_CASE("lengths from 255 on have three octets, and three octets are read for any") {
  Spdu data = of_kind(SpduKind::finish);
  for (const std::size_t size : {253, 254, 255, 256, 65528}) {
    data.user_data = std::string(size, 'x');
    const auto bytes = encode(data);
    REQUIRE(bytes.has_value() == (size < 65530));
    CHECK(decode_tsdu(*bytes) == std::vector<Spdu>{data});
  }
  CHECK(only("15 ff 00 00").kind == SpduKind::give_control);
  CHECK(only("02 00 32 ff 00 05 2a ff 00 01 '7'").serial == 7);
  data.user_data = std::string(65529, 'x');
  CHECK_FALSE(encode(data));
}

TEST_CASE("a CONNECT carries more than 512 octets as extended user data") {
  Spdu connect = of_kind(SpduKind::connect);
  for (const std::size_t size : {512, 513, 10240}) {
    connect.user_data = std::string(size, 'x');
    const auto bytes = encode(connect);
    REQUIRE(bytes);
    CHECK((bytes->find('\xc2') != std::string::npos) == (size > 512));
    CHECK(decode_tsdu(*bytes) == std::vector<Spdu>{connect});
  }
  connect.user_data += 'x';
  CHECK_FALSE(encode(connect));
}

TEST_CASE("parameters that are unknown, or another SPDU's, are skipped") {
  CHECK(only("02 00 32 0a 63 00 64 03 'abc' 2a 01 '1'").serial == 1);
  CHECK(only("02 00 32 0b 29 06 'foobar' 2a 01 '1'").activity.empty());
  CHECK(only("0d 0b 05 09 63 00 16 01 02 17 02 '10'").versions == 2);
  // Groups may be left out around their parameters.
  CHECK(only("0d 06 16 01 02 1a 01 15").token_setting == 0x15);
}

TEST_CASE("fields out of their bounds are errors that say which") {
  CHECK(wrong_spdu("02 00 32 02 2a 00") == "malformed: the peer's MINOR SYNC ACK has a serial number that is none: ''");
  CHECK(wrong_spdu("02 00 32 09 2a 07 '1234567'") == "malformed: the peer's MINOR SYNC ACK has a serial number that is none: '1234567'");
  CHECK(wrong_spdu("02 00 32 04 2a 02 '-1'") == "malformed: the peer's MINOR SYNC ACK has a serial number that is none: '-1'");
  CHECK(wrong_spdu("02 00 32 04 2a 02 '+1'") == "malformed: the peer's MINOR SYNC ACK has a serial number that is none: '+1'");
  CHECK(wrong_spdu("02 00 32 04 2a 02 1b '1'") == "malformed: the peer's MINOR SYNC ACK has a serial number that is none: '\\x1B1'");
  CHECK(wrong_spdu("02 00 32 00") == "malformed: the peer's MINOR SYNC ACK has no serial number");
  CHECK(wrong_spdu("01 00 2d 00") == "malformed: the peer's ACTIVITY START has no activity identifier");
  CHECK(wrong_spdu("01 00 2d 09 29 07 'abcdefg'") == "malformed: the peer's ACTIVITY START has 7 octets of activity identifier");
  CHECK(wrong_spdu("01 00 1d 03 29 01 'a'") == "malformed: the peer's ACTIVITY RESUME does not say what it goes on with");
  CHECK(wrong_spdu("0d 03 14 01 02") == "malformed: the peer's CONNECT has 1 octets of requirements");
  CHECK(wrong_spdu("0d 13 33 11 '12345678901234567'") == "malformed: the peer's CONNECT has 17 octets of selector");
  CHECK(wrong_spdu("0c 02 32 00") == "malformed: the peer's REFUSE has 0 octets of reason");
}

TEST_CASE("what is not spoken here is named") {
  CHECK(wrong_spdu("08 00") == "protocol: the peer sent an SPDU that is not used here: 8");
  CHECK(wrong_spdu("01 00 0d 00") == "protocol: the peer sent an SPDU that is not used here: 13");
  CHECK(wrong_spdu("01 00 35 00") == "protocol: the peer sent an SPDU that is not used here: 53");
  CHECK(wrong_spdu("01 00 29 06 0f 01 01 2a 01 '1'") == "protocol: the peer sets a major synchronization point within an activity");
  CHECK(wrong_spdu("01 00 31 03 2a 01 '1' 01 00") == "protocol: the peer sent more behind its MINOR SYNC POINT");
  CHECK(wrong_spdu("15 00 00") == "protocol: the peer sent more behind its GIVE TOKENS CONFIRM");
  CHECK(wrong_spdu("0e 03 19 01 01") == "protocol: the peer sends its ACCEPT in pieces");
}

TEST_CASE("every SPDU that is cut short is an error, or another length of data") {
  for (const std::string_view text : {kConnect, std::string_view("01 00 1d 19 21 12 0a 03 14 01 61 0b 03 17 01 62 29 03 02 01 01 2a 01 34 29 03 02 01 02"),
                                      std::string_view("02 08 10 01 01 c1 03 02 01 01"), std::string_view("0c 09 11 01 01 32 04 02 'why'")}) {
    const std::string whole = octets(text);
    // Two octets in, a GT is one by itself.
    for (std::size_t k = 0; k < whole.size(); ++k) CHECK(decode_tsdu(std::string_view(whole).substr(0, k)).has_value() == (k == 2 && whole[0] == 1));
  }
  CHECK(wrong_spdu("") == "malformed: the peer's session data is cut short");
}
