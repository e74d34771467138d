// SPDX-License-Identifier: MIT
// Names, passwords, sizes, modes: what is agreed on, and each refusal in plain words at both ends.
#include <doctest/doctest.h>

#include "unit/x400/rts_foreign.hpp"
#include "unit/x400/rts_world.hpp"
#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

void check_error(const std::optional<RtsFinished>& finished, Errc code, std::string_view words) {
  REQUIRE(finished);
  REQUIRE(finished->error);
  CHECK_MESSAGE(finished->error->code == code, finished->error->message());
  CHECK_MESSAGE(finished->error->what.find(words) != std::string::npos, finished->error->message());
  CHECK(finished->error->message().find("secret") == std::string::npos);
}

/// A site that a foreign peer "POC" calls, or that calls it.
}  // namespace

TEST_CASE("rts opening: a caller with a wrong name is told so, and both names are logged") {
  Pair w;
  w.b.peer.peer_name = "SITE8";
  w.call();
  check_error(w.b.finished, Errc::auth_refused, "the peer calls itself \"SITE7\"; expected \"SITE8\"");
  check_error(w.a.finished, Errc::auth_refused, "the peer does not know our name \"SITE7\"");
  CHECK(exit_status(w.a.finished->error->code) == ExitStatus::denied);
  CHECK_FALSE(w.a.finished->bound);
  CHECK(w.a.binds.empty());
  CHECK(w.b.binds.empty());
}

TEST_CASE("rts opening: a caller with a wrong password") {
  Pair w;
  w.b.peer.peer_password = Secret("secret-other");
  w.call();
  check_error(w.b.finished, Errc::auth_refused, "the peer \"SITE7\" gives a wrong password");
  check_error(w.a.finished, Errc::auth_refused, "or not with this password");
  w.b.peer.peer_password = Secret();
  w.call();
  check_error(w.b.finished, Errc::auth_refused, "gives a password; none was expected");
}

TEST_CASE("rts opening: the one that is called must prove itself too") {
  Pair w;
  w.a.peer.peer_name = "RELAY";
  w.call();
  check_error(w.a.finished, Errc::auth_refused, "the peer calls itself \"HUB\"; expected \"RELAY\"");
  REQUIRE(w.b.finished->error);
  CHECK(w.b.finished->error->code == Errc::protocol);
  CHECK(w.b.finished->error->what == "the peer aborted the association: a parameter that the peer does not take");
  Pair v;
  v.b.peer.our_password = Secret("secret-changed");
  v.call();
  check_error(v.a.finished, Errc::auth_refused, "the peer \"HUB\" gives a wrong password");
}

TEST_CASE("rts opening: names without case, a hostile name escaped, no password where none is expected") {
  Pair w;
  w.b.peer.peer_name = "site7";
  w.call();
  CHECK_FALSE(w.a.finished->error);
  Pair v;
  v.a.peer.our_name = "SI\x1b[2JTE";
  v.call();
  check_error(v.b.finished, Errc::auth_refused, "\"SI\\x1B[2JTE\"");
  Pair n;
  n.a.peer = RtsPeer{};
  n.b.peer = RtsPeer{};
  n.call();
  CHECK_FALSE(n.a.finished->error);
  CHECK(n.a.binds.at(0).peer_name.empty());
  n.b.peer.peer_name = "SITE7";
  n.call();
  check_error(n.b.finished, Errc::auth_refused, "the peer gives no name in its bind; expected \"SITE7\"");
}

TEST_CASE("rts opening: busy, an unknown caller, a caller from elsewhere") {
  Pair w;
  w.b.no_peer = Error(Errc::busy, "ten associations stand");
  w.call();
  check_error(w.a.finished, Errc::busy, "the peer is busy");
  check_error(w.b.finished, Errc::busy, "ten associations stand");
  w.b.no_peer = Error(Errc::caller_refused, "it comes from 192.0.2.9; expected 192.0.2.7");
  w.call();
  check_error(w.a.finished, Errc::auth_refused, "does not know our name");
  check_error(w.b.finished, Errc::caller_refused, "192.0.2.9");
}

TEST_CASE("rts opening: passwords are in secret Writes, and in no other") {
  Pair w;
  w.association.emplace(w.a, w.b, 1);
  int secrets = 0;
  w.association->before = [&](int, const RtsAction& action) {
    if (const auto* write = std::get_if<Write>(&action)) {
      const bool holds = write->bytes.find("secret-") != std::string::npos;
      CHECK(write->secret == holds);
      secrets += holds;
    }
    return true;
  };
  w.association->run();
  CHECK(secrets == 2);
}

TEST_CASE("rts opening: the smaller sizes win") {
  Pair w;
  w.a.peer.checkpoint_size = 30;
  w.a.peer.window = 5;
  w.call();
  CHECK(w.a.binds.at(0).checkpoint_size == 15);
  CHECK(w.a.binds.at(0).window == 3);
  CHECK(w.b.binds.at(0).checkpoint_size == 15);
  CHECK(w.b.binds.at(0).window == 3);
  w.a.peer.checkpoint_size = 0;
  w.a.peer.window = 1000;
  w.b.peer.window = 1000;
  w.call();
  CHECK(w.a.binds.at(1).checkpoint_size == 0);
  CHECK(w.b.binds.at(1).checkpoint_size == 0);
  CHECK(w.a.binds.at(1).window == 64);
}

TEST_CASE("rts opening: without checkpoints a transfer is one piece") {
  Pair w;
  w.a.peer.checkpoint_size = 0;
  w.a.add("one", content_of(200000));
  w.call();
  CHECK_FALSE(w.a.finished->error);
  CHECK(w.b.delivered == std::vector<std::string>{w.a.outgoing.at("one").content});
  CHECK(w.a.confirmations.empty());
}

TEST_CASE("rts opening: a foreign peer's window of 3, and its answer in indefinite lengths") {
  Met w;
  w.site.peer.window = 5;
  w.site.peer.checkpoint_size = 30;
  Foreign peer(w.site, false);
  peer.start();
  REQUIRE(peer.count<SessionConnected>() == 1);
  // [ACSE] AARE { context name, accepted, user, EXTERNAL { RTOAC { 15, 3, open { result { names } } } } }
  (void)peer.session->accept({}, octets(
      "3180 a080 800101 0000 a280 a580 3080 800100 81025101 0000 3080 800100 81025101 0000 3080 800100 81025101 0000 0000"
      "6180 3080 020101 a080 6180 a180 060456000106 0000 a280 020100 0000 a380 a180 020100 0000 0000 be80"
      " 2880 06025101 020103 a080 b180 80010f 810103 a280 a080 b180 a180 8003504f43 a180 2480 0404706f632d 0406736563726574"
      "0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000"));
  peer.run();
  REQUIRE(w.site.binds.size() == 1);
  CHECK(w.site.binds[0].window == 3);
  CHECK(w.site.binds[0].checkpoint_size == 15);
  CHECK(w.site.binds[0].peer_name == "POC");
}

TEST_CASE("rts opening: a foreign caller with its own context numbers, without a dialogue mode") {
  Met w;
  w.site.add("ours", content_of(10));
  Foreign peer(w.site, true);
  TransferOpen open = peer.open_request();
  open.dialogue_mode = 0;
  peer.call(encode_connect(Foreign::connect_with(open, kMtsTransferContext, 11)));
  REQUIRE(w.site.binds.size() == 1);
  CHECK_FALSE(w.site.binds[0].two_way);
  CHECK(digits(w.site.binds[0].session.calling) == digits(octets("1403") + "poc"));
  // In monologue the responder never asks for the turn; what comes is in the caller's context.
  CHECK(w.site.asked == 0);
  CHECK(peer.count<TurnAsked>() == 0);
  (void)peer.session->start_activity(octets("020101"));
  (void)peer.session->send_data(encode_segment(13, "hello"));
  (void)peer.session->end_activity();
  peer.run();
  CHECK(w.site.delivered == std::vector<std::string>{"hello"});
}

TEST_CASE("rts opening: X.410 mode asked of us") {
  Met w;
  Foreign peer(w.site, true);
  peer.call(octets("3119 a003 800100 a112 80013f 820101 a306 a004 a1028000 84020081"));
  check_error(w.site.finished, Errc::protocol, "the peer asks for X.410 mode (1984); only normal mode (1988) is spoken here");
  CHECK(exit_status(w.site.finished->error->code) == ExitStatus::protocol);
  REQUIRE(peer.ended);
  CHECK(peer.ended->end == SessionEnd::refused);
  CHECK(digits(peer.ended->user_data) == "3103800102");
}

TEST_CASE("rts opening: X.410 mode, or a refusal in it, as the answer") {
  Met w;
  Foreign peer(w.site, false);
  peer.start();
  (void)peer.session->accept({}, octets("3111 a003 800100 a10a 80010f 810103 a202 a000"));
  peer.run();
  check_error(w.site.finished, Errc::protocol, "the peer answers in X.410 mode (1984)");
  Met v;
  Foreign other(v.site, false);
  other.start();
  (void)other.session->refuse(2, octets("3103 800100"), other.now);
  other.run();
  check_error(v.site.finished, Errc::busy, "the peer is busy");
}

TEST_CASE("rts opening: another application context, a missing presentation context, an odd dialogue mode") {
  Met w;
  Foreign peer(w.site, true);
  peer.call(encode_connect(Foreign::connect_with(peer.open_request(), kMtsTransferProtocol)));
  check_error(w.site.finished, Errc::protocol, "the application context is 2.6.0.1.12 (1988 in X.410 mode); expected 2.6.0.1.6");
  const auto refuse = decode_refuse(peer.ended->user_data);
  REQUIRE(refuse);
  const auto apdu = decode_acse(refuse->user_data.at(0).value);
  REQUIRE(apdu);
  CHECK(std::get<AssociateResponse>(*apdu).diagnostic == 2);

  Met v;
  Foreign lacking(v.site, true);
  ConnectPpdu connect = Foreign::connect_with(lacking.open_request());
  connect.contexts[1].transfer_syntaxes = {"2.1.2"};
  lacking.call(encode_connect(connect));
  check_error(v.site.finished, Errc::protocol, "the peer's presentation contexts lack reliable transfer in BER");

  Met u;
  Foreign odd(u.site, true);
  TransferOpen open = odd.open_request();
  open.dialogue_mode = 7;
  odd.call(encode_connect(Foreign::connect_with(open)));
  check_error(u.site.finished, Errc::protocol, "dialogue mode 7, which is none");
}

TEST_CASE("rts opening: refusals of foreign peers in plain words") {
  const auto refused = [](std::string user_data, int reason = 2) {
    Met w;
    Foreign peer(w.site, false);
    peer.start();
    (void)peer.session->refuse(reason, std::move(user_data), peer.now);
    peer.run();
    REQUIRE(w.site.finished);
    REQUIRE(w.site.finished->error);
    return *w.site.finished->error;
  };
  const auto by_bind = [](std::int64_t error) {
    RefusePpdu refuse;
    const AssociateResponse response{std::string(kMtsTransferContext), 1, false, 1,
                                     AssociationData{3, encode_open_refuse({{}, encode_bind_error(static_cast<BindError>(error))})}};
    refuse.user_data = {{1, encode_acse(response)}};
    return encode_refuse(refuse);
  };
  const auto by_rts = [](std::int64_t reason) {
    RefusePpdu refuse;
    const AssociateResponse response{std::string(kMtsTransferContext), 1, false, 1, AssociationData{3, encode_open_refuse({reason, {}})}};
    refuse.user_data = {{1, encode_acse(response)}};
    return encode_refuse(refuse);
  };
  CHECK(refused(by_bind(0)).code == Errc::busy);
  CHECK(refused(by_bind(2)).code == Errc::auth_refused);
  CHECK(refused(by_bind(3)).what == "the peer does not take the dialogue mode two-way alternate");
  CHECK(refused(by_bind(4)).code == Errc::auth_refused);
  CHECK(refused(by_rts(0)).code == Errc::busy);
  CHECK(refused(by_rts(2)).what == "the peer refused our bind: validation failed");
  CHECK(refused(by_rts(3)).code == Errc::protocol);
  CHECK(refused(octets("3003 8a0103")).what == "the peer's presentation refused: the presentation address is not known there");
  CHECK(refused(octets("3003 8a0101")).code == Errc::busy);
  CHECK(refused("", 1).code == Errc::busy);
  CHECK(refused("garbage").code == Errc::protocol);
}

TEST_CASE("rts opening: binds that are cut, or garbage, or from a line that trickles") {
  Met w;
  const std::string good = encode_connect(Foreign::connect_with(Foreign(w.site, true).open_request()));
  for (std::size_t n = 1; n < good.size(); ++n) {
    Met v;
    Foreign peer(v.site, true);
    peer.call(good.substr(0, n));
    REQUIRE(v.site.finished);
    REQUIRE(v.site.finished->error);
    REQUIRE(v.site.finished->error->code == Errc::protocol);
    REQUIRE(v.site.binds.empty());
  }
  for (const bool calls : {false, true}) {
    Met v;
    Foreign peer(v.site, calls);
    peer.rts->start(peer.now);
    // A byte a minute of a TPKT that never gets whole.
    for (int i = 0; i < 10 && !v.site.finished; ++i) {
      peer.now += std::chrono::minutes(1);
      peer.rts->on_time(peer.now);
      peer.rts->on_bytes(std::string_view("\x03\x00\x10\x00\x00\x00\x00\x00\x00\x00", 10).substr(static_cast<std::size_t>(i), 1), peer.now);
      while (auto action = peer.rts->next_action()) v.site.carry_out(*action);
    }
    REQUIRE(v.site.finished);
    REQUIRE(v.site.finished->error);
    CHECK(v.site.finished->error->code == Errc::deadline);
  }
}
