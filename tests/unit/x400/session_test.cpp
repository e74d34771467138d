// SPDX-License-Identifier: MIT
#include "x400/session.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"
#include "unit/x400/session_world.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

/// Two sides in an open session, nothing on its way.
struct SessionPair {
  explicit SessionPair(Side::User sender = Side::confirm_all, Side::User receiver = Side::confirm_all)
      : a(calling(), std::move(sender)), b(called(), std::move(receiver)) {
    a.start();
    b.start();
    pump(a, b);
    REQUIRE(a.log.size() >= 1);
    mark();
  }
  void drain() {
    a.drain();
    b.drain();
  }
  void run() {
    drain();
    pump(a, b);
  }
  void mark() {
    a_seen = a.log.size();
    b_seen = b.log.size();
  }
  std::string a_said() const { return a.said(a_seen); }
  std::string b_said() const { return b.said(b_seen); }

  Side a;
  Side b;
  std::size_t a_seen = 0;
  std::size_t b_seen = 0;
};

/// A receiver that confirms nothing but the session.
void accept_only(Side& side, const SessionAction& action) {
  if (std::holds_alternative<SessionConnected>(action)) Side::confirm_all(side, action);
}

}  // namespace

TEST_CASE("a session with an activity each way, the turn, and a release") {
  SessionPair p(send_one_activity, answer_one_activity);
  CHECK(p.a.said() ==
        "connected 'bound', turn | confirmed 1 | confirmed 2 | ended 3 | resumed B as C at 4 | data mail | point 5 | "
        "ending 6 | turn | finished released 'bye too'");
  p.b.end();
  CHECK(p.b.said() ==
        "connected 'bind' | started A | data one | point 1 | data two | point 2 | data three | ending 3 | turn | asked please | confirmed 5 | ended 6 | "
        "release 'bye' | finished released");
}

TEST_CASE("what a session says on the wire") {
  SessionPair p(send_one_activity, answer_one_activity);
  const auto unit = [](std::string_view tsdu) { return tpkt(encode(CotpData{octets(tsdu), true})); };
  std::string sent = tpkt(encode(CotpConnect{false, 0, 1, 0, 2048}));
  sent += unit("0d 2f 01 18 0a 05 04 03 'sat' 0b 0f 17 0d '261126041900Z' 05 09 13 01 00 16 01 03 1a 01 00 14 02 02 49 c1 04 'bind'");
  for (const std::string_view tsdu :
       {"01 00 2d 03 29 01 'A'", "01 00 01 00 'one'", "01 00 31 03 2a 01 '1'", "01 00 01 00 'two'", "01 00 31 03 2a 01 '2'", "01 00 01 00 'three'",
        "01 00 29 03 2a 01 '3'", "15 00",
        "02 0b 10 01 01 c1 06 'please'", "02 00 32 03 2a 01 '5'", "02 00 2a 03 2a 01 '6'", "16 00", "09 08 11 01 01 c1 03 'bye'"}) {
    sent += unit(tsdu);
  }
  CHECK(hex(p.a.written) == hex(sent));
  std::string answered = tpkt(encode(CotpConnect{true, 1, 1, 0, 2048}));
  for (const std::string_view tsdu :
       {"0e 2d 01 18 09 05 04 03 'mta' 0b 0f 17 0d '261126041900Z' 05 06 13 01 00 16 01 02 14 02 02 49 c1 05 'bound'",
        "02 00 32 03 2a 01 '1'", "02 00 32 03 2a 01 '2'", "02 00 2a 03 2a 01 '3'", "16 00", "01 00 1d 0b 21 06 29 01 'B' 2a 01 '4' 29 01 'C'",
        "01 00 01 00 'mail'", "01 00 31 03 2a 01 '5'", "01 00 29 03 2a 01 '6'", "15 00", "0a 09 c1 07 'bye too'"}) {
    answered += unit(tsdu);
  }
  CHECK(hex(p.b.written) == hex(answered));
}

TEST_CASE("a point that waits is confirmed with those before it") {
  SessionPair p(Side::confirm_all, accept_only);
  REQUIRE(p.a.session.start_activity("A"));
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(p.a.session.send_data("x"));
    CHECK(p.a.session.minor_sync() == i);
  }
  p.run();
  CHECK_FALSE(p.b.session.confirm_minor(4));
  CHECK(p.b.session.confirm_minor(2));
  CHECK_FALSE(p.b.session.confirm_minor(1));
  CHECK_FALSE(p.b.session.confirm_minor(2));
  p.run();
  CHECK(p.a_said() == "confirmed 2");
  CHECK(p.a.session.end_activity() == 4);
  p.run();
  // The end's own number is no point.
  CHECK_FALSE(p.b.session.confirm_minor(4));
  CHECK(p.b.session.confirm_minor(3));
  CHECK(p.b.session.confirm_end());
  p.run();
  CHECK(p.a_said() == "confirmed 2 | confirmed 3 | ended 4");
}

TEST_CASE("serial numbers begin at 1, and after a resumption behind it") {
  SessionPair p;
  REQUIRE(p.a.session.resume_activity({"B", "A", 999997, "", "", "", ""}));
  CHECK(p.a.session.minor_sync() == 999998);
  CHECK_FALSE(p.a.session.minor_sync());
  CHECK(p.a.session.end_activity() == 999999);
  p.run();
  CHECK(p.a_said() == "confirmed 999998 | ended 999999");
  REQUIRE(p.a.session.start_activity("C"));
  CHECK(p.a.session.minor_sync() == 1);
  CHECK_FALSE(p.a.session.resume_activity({"B", "A", 0, "", "", "", ""}));
}

TEST_CASE("an interrupt drops the confirmations that cross it") {
  for (const bool discard : {false, true}) {
    SessionPair p(Side::confirm_all, accept_only);
    REQUIRE(p.a.session.start_activity("A"));
    REQUIRE(p.a.session.send_data("x"));
    REQUIRE(p.a.session.minor_sync());
    REQUIRE(p.a.session.end_activity());
    p.run();
    // Both at once: the answers, and the interrupt. The receiver has its activity; the sender will learn that when it goes on with it.
    CHECK(p.b.session.confirm_minor(1));
    CHECK(p.b.session.ask_turn("p"));
    CHECK(p.b.session.confirm_end());
    CHECK(p.a.session.stop_activity(discard, SessionReason::local_user_error));
    CHECK_FALSE(p.a.session.stop_activity(discard, std::nullopt));
    p.a.drain();
    p.b.drain();
    const std::string crossing = p.b.take();
    p.a.hear(crossing);
    CHECK(p.a_said() == "asked p");
    const std::size_t heard = p.b.log.size();
    p.run();
    CHECK(p.b.said(heard) == "");
    CHECK(p.a_said() == (discard ? "asked p | discarded" : "asked p | interrupted"));
    // Only then: a second one is out of place.
    p.b.hear(tpkt(encode(CotpData{octets("01 00 19 00"), true})));
    CHECK(hex(p.b.take()).ends_with("19 03 11 01 05"));
  }
}

TEST_CASE("an interrupt is answered, with what was under way dropped on both sides") {
  for (const bool discard : {false, true}) {
    SessionPair p(Side::confirm_all, accept_only);
    REQUIRE(p.a.session.start_activity("A"));
    REQUIRE(p.a.session.send_data("x"));
    REQUIRE(p.a.session.minor_sync());
    p.run();
    CHECK(p.b.session.confirm_minor(1));
    CHECK(p.b.session.report_exception(SessionReason::receiving_jeopardized));
    CHECK(p.a.session.stop_activity(discard, SessionReason::local_user_error));
    p.run();
    CHECK(p.a_said() == "");
    CHECK(p.b_said() == std::string("started A | data x | point 1 | ") + (discard ? "discarding 5" : "interrupting 5"));
    CHECK_FALSE(p.b.session.confirm_minor(1));
    CHECK_FALSE(p.b.session.confirm_end());
    CHECK(p.b.session.confirm_stop());
    p.run();
    CHECK(p.a_said() == (discard ? "discarded" : "interrupted"));
    CHECK_FALSE(p.a.session.in_activity());
    CHECK_FALSE(p.b.session.in_activity());
    CHECK(p.a.session.start_activity("B"));
  }
}

TEST_CASE("behind an exception nothing arrives until the sender stops the activity") {
  SessionPair p(Side::confirm_all, accept_only);
  REQUIRE(p.a.session.start_activity("A"));
  p.run();
  p.mark();
  CHECK(p.b.session.report_exception(SessionReason::unrecoverable_procedure));
  CHECK_FALSE(p.b.session.report_exception(SessionReason::unspecified));
  REQUIRE(p.a.session.send_data("x"));
  REQUIRE(p.a.session.minor_sync());
  REQUIRE(p.a.session.end_activity());
  p.run();
  CHECK(p.b_said() == "");
  CHECK(p.a_said() == "exception 6");
  CHECK_FALSE(p.a.session.send_data("y"));
  CHECK_FALSE(p.a.session.minor_sync());
  CHECK(p.a.session.stop_activity(true, std::nullopt));
  p.run();
  CHECK(p.b_said() == "discarding");
  CHECK(p.b.session.confirm_stop());
  p.run();
  CHECK(p.a_said() == "exception 6 | discarded");
}

TEST_CASE("the turn is asked for and given; requests that cross it are void") {
  SessionPair p;
  CHECK_FALSE(p.a.session.ask_turn("me"));
  CHECK_FALSE(p.b.session.give_turn());
  CHECK_FALSE(p.b.session.start_activity("B"));
  CHECK(p.b.session.ask_turn("2"));
  p.run();
  CHECK(p.a_said() == "asked 2");
  CHECK(p.b.session.ask_turn("1"));
  CHECK(p.a.session.give_turn());
  CHECK_FALSE(p.a.session.turn());
  CHECK_FALSE(p.a.session.release("", p.a.now));
  p.run();
  CHECK(p.a_said() == "asked 2");
  CHECK(p.b_said() == "turn");
  CHECK(p.b.session.start_activity("B"));
  CHECK_FALSE(p.b.session.give_turn());
  p.run();
  CHECK(p.a_said() == "asked 2 | started B");
}

TEST_CASE("the responder may have the turn first") {
  Side a(calling());
  Side b(called());
  ConnectRequest r = request();
  r.turn = false;
  REQUIRE(a.session.connect(r));
  CHECK_FALSE(a.session.connect(r));
  a.session.start(at(0));
  a.drain();
  b.start();
  pump(a, b);
  CHECK(b.said() == "connected 'bind', turn");
  CHECK(a.said() == "connected 'bound'");
  CHECK(b.session.start_activity("B"));
  CHECK_FALSE(a.session.release("", at(1)));
}

TEST_CASE("a session is refused by the user, with words or without") {
  for (const auto& [reason, words, expected] : std::vector<std::tuple<int, std::string, std::string>>{
           {2, "PRefuse", "finished refused 2 'PRefuse': refused: the peer refuses the session: no reason given (reason 2)"},
           {1, "", "finished refused 1: busy: the peer refuses the session: it is busy (reason 1)"},
           {0x84, "", "finished refused 132: protocol: the peer refuses the session: it speaks no version of the session protocol that we do (reason 132)"}}) {
    Side a(calling());
    Side b(called(), nullptr);
    a.start();
    b.start();
    pump(a, b);
    REQUIRE(b.said() == "connected 'bind'");
    REQUIRE(b.session.refuse(reason, words, at(1)));
    b.drain();
    pump(a, b);
    CHECK(a.said() == expected);
    CHECK_FALSE(b.finished);
    b.end();
    CHECK(b.said(1) == "finished ours");
  }
}

TEST_CASE("the caller's demands are checked before the user hears of it") {
  const auto answer = [](std::string_view connect, SessionOptions options = called()) {
    Side b(std::move(options));
    b.start();
    b.hear(octets("03 00 00 0b 06 e0 00 00 00 07 00"));
    b.take();
    b.hear(tpkt(encode(CotpData{octets(connect), true})));
    const std::string wire = hex(b.take());
    b.end();
    return b.said() + " / " + wire;
  };
  const std::string head = "finished ours: protocol: the caller ";
  const std::string refused = " / 03 00 00 0f 02 f0 80 0c 06 11 01 01 32 01 ";
  CHECK(answer("0d 05 05 03 16 01 04") == head + "speaks no version of the session protocol that we do" + refused + "84");
  CHECK(answer("0d 04 14 02 00 42") == head + "asks for a session without half-duplex, checkpoints, exceptions" + refused + "86");
  CHECK(answer("0d 05 05 03 1a 01 04") == head + "would share the session's tokens out" + refused + "86");
  CHECK(answer("0d 08 05 06 15 04 00 00 00 10") == head + "would take no unit of more than 16 octets" + refused + "86");
  SessionOptions named = called();
  named.called_selector = "RTS";
  CHECK(answer("0d 05 34 03 'X.4'", named) ==
        "finished ours: caller-refused: the caller asks for session selector 'X.4', expected 'RTS'" + refused + "81");
  // Without a word the units are those of X.225, the version is 1, the turn the caller's; and with version 1 or 2 we choose what we like.
  CHECK(answer("0d 00", named).starts_with("connected '' | finished line: line-dropped: the peer closed the line without a word"));
  CHECK(answer("0d 00").find(" 16 01 01 14 02 02 49") != std::string::npos);
  CHECK(answer("0d 05 05 03 16 01 03").find(" 16 01 02 14 02 02 49") != std::string::npos);
  // The choice is left to us.
  CHECK(answer("0d 05 05 03 1a 01 2a").find("1a 01 00") != std::string::npos);
}

TEST_CASE("an acceptance that does not fit is aborted") {
  const auto heard = [](std::string_view tsdu) {
    Side a(calling());
    a.start();
    a.hear(octets("03 00 00 0b 06 d0 00 01 00 07 00"));
    a.take();
    a.hear(tpkt(encode(CotpData{octets(tsdu), true})));
    CHECK(hex(a.take()) == "03 00 00 0c 02 f0 80 19 03 11 01 05");
    a.end();
    return a.said();
  };
  CHECK(heard("0e 05 05 03 16 01 03") ==
        "finished ours: protocol: the peer chose a version of the session protocol that was not offered (0x03)");
  CHECK(heard("0e 04 14 02 00 41") == "finished ours: protocol: the peer accepts a session without checkpoints, exceptions");
  CHECK(heard("0e 08 05 06 15 04 00 10 00 00") == "finished ours: protocol: the peer would take no unit of more than 16 octets");
  CHECK(heard("15 00") == "finished ours: protocol: the peer's GIVE TOKENS CONFIRM is out of place: the session is not answered yet");
}

TEST_CASE("a peer that limits its units gets data in pieces, and pieces are put together") {
  Side b(called());
  b.start();
  b.hear(octets("03 00 00 0b 06 e0 00 00 00 07 00"));
  b.take();
  // The responder may send at most 64 octets; the turn is its own.
  b.hear(tpkt(encode(CotpData{octets("0d 0e 05 0c 15 04 07 f9 00 40 16 01 03 1a 01 15"), true})));
  CHECK(hex(b.take()).find("15 04 07 f9 00 40") != std::string::npos);
  REQUIRE(b.session.start_activity("B"));
  b.drain();
  b.take();
  const std::string ssdu(150, 'x');
  REQUIRE(b.session.send_data(ssdu));
  REQUIRE(b.session.send_data(std::string(57, 'y')));
  b.drain();
  const std::string begin = octets("03 00 00 47 02 f0 80 01 00 01 03 19 01 01");
  const std::string middle = octets("03 00 00 47 02 f0 80 01 00 01 03 19 01 00");
  const std::string end = octets("03 00 00 32 02 f0 80 01 00 01 03 19 01 02");
  const std::string whole = octets("03 00 00 44 02 f0 80 01 00 01 00");
  const std::string sent = begin + std::string(57, 'x') + middle + std::string(57, 'x') + end + std::string(36, 'x') + whole + std::string(57, 'y');
  const std::string written = b.take();
  CHECK(hex(written) == hex(sent));

  SessionPair p;
  REQUIRE(p.a.session.start_activity("A"));
  p.run();
  p.mark();
  p.b.hear(written);
  CHECK(p.b_said() == "data " + ssdu + " | data " + std::string(57, 'y'));
  p.b.hear(begin + std::string(57, 'x'));
  CHECK(p.b.session.pending() == 57);
  p.b.hear(whole + std::string(57, 'y'));
  p.b.end();
  CHECK(p.b.log.back() == "finished ours: protocol: the peer's data comes in pieces that do not fit together");
}

TEST_CASE("aborts reach the other side, from the user and from the protocol") {
  SessionPair p;
  REQUIRE(p.a.session.abort("why", at(5)));
  CHECK_FALSE(p.a.session.abort("", at(5)));
  CHECK_FALSE(p.a.session.start_activity("A"));
  p.run();
  CHECK(p.b_said() == "finished user-abort 'why': line-dropped: the peer aborted the association");
  REQUIRE(p.a.session.deadline() == at(5005));
  p.a.wait_until(at(5004));
  CHECK_FALSE(p.a.finished);
  p.a.wait_until(at(5005));
  CHECK(p.a_said() == "finished ours");

  SessionPair q;
  q.b.hear(tpkt(encode(CotpData{octets("19 03 11 01 05"), true})));
  CHECK(q.b_said() == "finished peer-abort: protocol: the peer's session protocol found an error of ours and aborted");
  // Where the transport connection is to be kept, an answer is due.
  q.a.hear(tpkt(encode(CotpData{octets("19 03 11 01 08"), true})));
  CHECK(q.a_said() == "finished peer-abort: line-dropped: the peer's session protocol aborted and gave no reason");
  CHECK(hex(q.a.take()) == "03 00 00 09 02 f0 80 1a 00");

  // Both at once.
  SessionPair r;
  REQUIRE(r.a.session.abort("", at(1)));
  REQUIRE(r.b.session.abort("", at(1)));
  r.run();
  CHECK(r.a_said() == "finished ours");
  CHECK(r.b_said() == "finished ours");
}

TEST_CASE("deadlines: the opening, the answer to a release, the peer's closing") {
  Side a(calling());
  a.start();
  a.hear(octets("03 00 00 0b 06 d0 00 01 00 07 00"));
  REQUIRE(a.session.deadline() == at(60'000));
  a.wait_until(at(60'000));
  CHECK(a.said() == "finished ours: deadline: the peer did not answer the session request within 1m");
  Side silent(calling());
  silent.start();
  silent.wait_until(at(60'000));
  CHECK(silent.said() == "finished ours: deadline: the peer did not answer the connection request within 1m");
  Side b(called());
  b.start();
  b.hear(octets("03 00 00 0b 06 e0 00 00 00 07 00 03"));
  b.wait_until(at(60'000));
  CHECK(b.said() == "finished ours: deadline: the peer did not ask for a session within 1m");

  SessionPair p;
  CHECK_FALSE(p.a.session.deadline());
  REQUIRE(p.a.session.release("bye", at(1000)));
  p.a.drain();
  CHECK(p.a.session.deadline() == at(121'000));
  p.b.hear(p.a.take());
  CHECK(p.b_said() == "release 'bye'");
  CHECK(p.b.session.deadline() == at(120'000));
  p.b.wait_until(at(120'000));
  CHECK(p.b_said() == "release 'bye' | finished released");
  p.a.wait_until(at(121'000));
  CHECK(p.a_said() == "finished ours: deadline: the peer did not answer the release within 2m");
}

TEST_CASE("GT and PT in units of their own, and an AIA without its PT") {
  SessionPair p(Side::confirm_all, accept_only);
  const auto unit = [](std::string_view tsdu) { return tpkt(encode(CotpData{octets(tsdu), true})); };
  for (const std::string_view tsdu : {"01 00", "2d 03 29 01 'A'", "01 00", "01 00 'one'", "01 00", "31 03 2a 01 '1'", "01 00", "19 00"}) p.b.hear(unit(tsdu));
  CHECK(p.b_said() == "started A | data one | point 1 | interrupting");

  REQUIRE(p.a.session.start_activity("A"));
  REQUIRE(p.a.session.minor_sync());
  p.a.drain();
  for (const std::string_view tsdu : {"02 00", "32 03 2a 01 '1'", "02 03 10 01 01"}) p.a.hear(unit(tsdu));
  REQUIRE(p.a.session.stop_activity(false, std::nullopt));
  p.a.hear(unit("1a 00"));
  CHECK(p.a_said() == "confirmed 1 | asked  | interrupted");
}

TEST_CASE("in version 1 user data stay short") {
  SessionOptions old = calling();
  old.versions = kSessionVersion1;
  Side a(old);
  Side b(called(), nullptr);
  a.start();
  b.start();
  pump(a, b);
  CHECK_FALSE(b.session.accept({}, std::string(513, 'x')));
  CHECK(b.session.accept({}, std::string(512, 'x')));
  b.drain();
  pump(a, b);
  REQUIRE(a.session.abort("0123456789", at(1)));
  a.drain();
  CHECK(hex(a.take()) == "03 00 00 0c 02 f0 80 19 03 11 01 03");
}

TEST_CASE("a password goes in secret") {
  Side a(calling());
  ConnectRequest r = request();
  r.secret = true;
  REQUIRE(a.session.connect(r));
  a.session.start(at(0));
  CHECK_FALSE(std::get<Write>(*a.session.next_action()).secret);
  a.session.on_bytes(octets("03 00 00 0b 06 d0 00 01 00 07 00"), at(1));
  CHECK(std::get<Write>(*a.session.next_action()).secret);
}
