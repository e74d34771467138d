// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"
#include "unit/x400/session_world.hpp"
#include "x400/session.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

/// What both sides of one whole session wrote.
struct Recording {
  Recording() {
    Side a(calling(), send_one_activity);
    Side b(called(), answer_one_activity);
    a.start();
    b.start();
    pump(a, b);
    b.end();
    REQUIRE(a.finished);
    REQUIRE(b.finished);
    from_a = a.written;
    from_b = b.written;
    a_said = a.said();
    b_said = b.said();
  }
  std::string from_a;
  std::string from_b;
  std::string a_said;
  std::string b_said;
};

Side started(bool initiator) {
  Side side(initiator ? calling() : called(), initiator ? send_one_activity : answer_one_activity);
  side.start();
  return side;
}

/// The offsets behind each packet.
std::vector<std::size_t> boundaries(std::string_view stream) {
  std::vector<std::size_t> out{0};
  while (out.back() < stream.size()) {
    const std::string_view rest = stream.substr(out.back());
    out.push_back(out.back() + (static_cast<unsigned char>(rest[2]) << 8u | static_cast<unsigned char>(rest[3])));
  }
  return out;
}

/// Closed, or at a deadline, a session is over; once.
void ends(Side& side) {
  side.end();
  REQUIRE(side.finished);
  CHECK_FALSE(side.session.deadline());
  CHECK_FALSE(side.session.in_activity());
  side.hear("x");
  side.wait_until(at(1'000'000));
}

const std::vector<std::string_view> kEverything = {
    "0d 00", "0e 00", "0c 03 32 01 00", "09 00", "0a 00", "19 03 11 01 03", "1a 00", "01 00", "02 00", "01 03 10 01 15", "01 03 10 01 01", "02 03 10 01 01",
    "15 00", "16 00", "01 00 01 00 'x'", "01 00 01 03 19 01 01 'x'", "01 00 31 03 2a 01 '1'", "01 00 31 03 2a 01 '3'", "01 00 31 05 2a 06 '999999'",
    "01 00 31 08 2a 06 '999999'", "02 00 32 03 2a 01 '1'", "02 00 32 03 2a 01 '9'", "01 00 2d 03 29 01 'Z'", "01 00 1d 0b 21 06 29 01 'B' 2a 01 '4' 29 01 'C'",
    "01 00 1d 10 21 0b 29 01 'B' 2a 06 '999999' 29 01 'C'", "01 00 29 03 2a 01 '1'", "01 00 29 03 2a 01 '3'", "02 00 2a 03 2a 01 '3'", "02 00 2a 03 2a 01 '1'",
    "01 00 19 00", "02 00 1a 00", "01 00 39 00", "02 00 3a 00", "02 00 30 03 32 01 01", "02 00 00 00", "05 00", "21 00", "35 00", "ff", ""};

}  // namespace

TEST_CASE("the same bytes in any two pieces, or one by one, mean the same") {
  const Recording whole;
  for (const bool initiator : {true, false}) {
    const std::string& in = initiator ? whole.from_b : whole.from_a;
    const std::string& out = initiator ? whole.from_a : whole.from_b;
    const std::string& said = initiator ? whole.a_said : whole.b_said;
    for (std::size_t k = 0; k <= in.size(); ++k) {
      Side side = started(initiator);
      side.hear(in.substr(0, k));
      side.hear(in.substr(k));
      if (!side.finished) side.end();
      CHECK(side.said() == said);
      CHECK(side.written == out);
    }
    Side side = started(initiator);
    for (const char c : in) side.hear(std::string(1, c));
    side.end();
    CHECK(side.said() == said);
    CHECK(side.written == out);
  }
}

TEST_CASE("a line that ends after any byte ends the session, with an error unless it was released") {
  const Recording whole;
  for (const bool initiator : {true, false}) {
    const std::string& in = initiator ? whole.from_b : whole.from_a;
    for (std::size_t k = 0; k <= in.size(); ++k) {
      Side side = started(initiator);
      side.hear(in.substr(0, k));
      ends(side);
      CHECK(side.finished->error.has_value() == (k < in.size()));
      if (side.finished->error) CHECK(side.finished->error->code == Errc::line_dropped);
    }
  }
}

TEST_CASE("any SPDU in any state is understood, or ends the session cleanly") {
  const Recording whole;
  int aborted = 0;
  for (const bool initiator : {true, false}) {
    const std::string& in = initiator ? whole.from_b : whole.from_a;
    for (const std::size_t k : boundaries(in)) {
      for (const std::string_view text : kEverything) {
        Side side = started(initiator);
        side.hear(in.substr(0, k));
        if (side.finished) continue;
        side.user = nullptr;
        const std::size_t before = side.log.size();
        side.take();
        side.hear(tpkt(encode(CotpData{octets(text), true})));
        const std::string wire = hex(side.take());
        CHECK(side.log.size() <= before + 1);
        const bool abort = wire.ends_with("19 03 11 01 05");
        aborted += abort;
        // Whoever aborts says nothing to its user until the end; and whatever follows is not heard.
        if (abort) {
          CHECK(side.log.size() == before);
          side.hear(in.substr(k));
          side.hear("nonsense");
        }
        ends(side);
        if (abort) {
          REQUIRE(side.finished->error);
          CHECK(side.finished->error->code == Errc::protocol);
          CHECK(side.finished->end == SessionEnd::ours);
        }
      }
    }
  }
  CHECK(aborted > 700);
}

TEST_CASE("any byte of the session may be another: it ends, once") {
  const Recording whole;
  for (const bool initiator : {true, false}) {
    const std::string& in = initiator ? whole.from_b : whole.from_a;
    for (std::size_t k = 0; k < in.size(); ++k) {
      for (const int change : {0x01, 0x02, 0x80, 0xff}) {
        std::string changed = in;
        changed[k] = static_cast<char>(changed[k] ^ change);
        Side side = started(initiator);
        // A user that does what it is told to, and is not surprised by refusals of its own session.
        side.user = [](Side& s, const SessionAction& action) {
          if (std::holds_alternative<SessionConnected>(action) && !s.initiator) (void)s.session.accept({}, "bound");
          if (const auto* point = std::get_if<MinorSyncArrived>(&action)) (void)s.session.confirm_minor(point->serial);
          if (std::holds_alternative<ActivityEnding>(action)) (void)s.session.confirm_end();
          if (std::holds_alternative<ActivityStopping>(action)) (void)s.session.confirm_stop();
        };
        side.hear(changed);
        ends(side);
      }
    }
  }
}

TEST_CASE("checkpoints out of order, ends that do not fit and answers to nothing are named") {
  const auto heard = [](bool initiator, std::string_view text) {
    Side a(calling());
    Side b(called(), nullptr);
    b.user = [](Side& s, const SessionAction& action) {
      if (std::holds_alternative<SessionConnected>(action)) Side::confirm_all(s, action);
    };
    a.start();
    b.start();
    pump(a, b);
    REQUIRE(a.session.start_activity("A"));
    REQUIRE(a.session.minor_sync());
    a.drain();
    pump(a, b);
    Side& side = initiator ? a : b;
    side.hear(tpkt(encode(CotpData{octets(text), true})));
    side.end();
    return side.finished->error->what;
  };
  CHECK(heard(false, "01 00 31 03 2a 01 '1'") == "the peer sets checkpoint 1 where 2 is next");
  CHECK(heard(false, "01 00 31 03 2a 01 '3'") == "the peer sets checkpoint 3 where 2 is next");
  CHECK(heard(false, "01 00 29 03 2a 01 '1'") == "the peer ends an activity at 1 where 2 is next");
  CHECK(heard(false, "01 00 2d 03 29 01 'B'") == "the peer's ACTIVITY START is out of place: the session is open");
  CHECK(heard(true, "02 00 32 03 2a 01 '2'") == "the peer confirms checkpoint 2, of which it knows nothing or has spoken before");
  CHECK(heard(true, "02 00 2a 03 2a 01 '2'") == "the peer's ACTIVITY END ACK is out of place: the session is open, the turn is ours");
  CHECK(heard(true, "01 00 01 00 'x'") == "the peer's DATA TRANSFER is out of place: the session is open, the turn is ours");
  CHECK(heard(true, "08 00") == "the peer sent an SPDU that is not used here: 8");
}

TEST_CASE("before a session is open nobody may send much") {
  Side b(called(), nullptr);
  b.start();
  b.hear(octets("03 00 00 0b 06 e0 00 00 00 07 00"));
  const std::string piece = tpkt(encode(CotpData{std::string(60'000, 'x'), false}));
  b.hear(piece);
  CHECK(b.session.pending() == 60'000);
  b.hear(piece);
  b.end();
  REQUIRE(b.finished->error);
  CHECK(b.finished->error->what == "the peer sends a unit of more than 65539 octets");
}

TEST_CASE("units are bounded, in one piece and in many") {
  SessionOptions options = called();
  options.longest_ssdu = 1000;
  Side b(options);
  b.start();
  b.hear(octets("03 00 00 0b 06 e0 00 00 00 07 00"));
  b.hear(tpkt(encode(CotpData{octets("0d 00"), true})) + tpkt(encode(CotpData{octets("01 00 2d 03 29 01 'A'"), true})));
  for (int i = 0; i < 10; ++i) b.hear(tpkt(encode(CotpData{octets(i == 0 ? "01 00 01 03 19 01 01" : "01 00 01 03 19 01 00") + std::string(100, 'x'), true})));
  CHECK(b.session.pending() == 1000);
  CHECK_FALSE(b.session.finished());
  b.hear(tpkt(encode(CotpData{octets("01 00 01 03 19 01 00 'x'"), true})));
  b.end();
  CHECK(b.finished->error->what == "the peer sends a unit of more than 1000 octets");
  CHECK(b.session.pending() == 0);

  // An SSDU that is longer than any SPDU with parameters, in one unit.
  Side a(calling());
  Side c(called());
  a.start();
  c.start();
  pump(a, c);
  REQUIRE(a.session.start_activity("A"));
  REQUIRE(a.session.send_data(std::string(300'000, 'x')));
  a.drain();
  pump(a, c);
  CHECK(c.log.back() == "data " + std::string(300'000, 'x'));
}
