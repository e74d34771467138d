// SPDX-License-Identifier: MIT
// Who sends when: two-way alternate, monologue, priorities, release, exceptions and further attempts.
#include <doctest/doctest.h>

#include "unit/x400/rts_foreign.hpp"
#include "unit/x400/rts_world.hpp"
#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

void patient(RtsOptions& options) { options.lifetime = std::chrono::hours(1); }

}  // namespace

TEST_CASE("rts turn: a thousand small messages each way in one association") {
  Pair w;
  for (int i = 0; i < 1000; ++i) {
    w.a.add("a" + std::to_string(i), content_of(500, 2 * i));
    w.b.add("b" + std::to_string(i), content_of(500, 2 * i + 1));
  }
  int turns = 0;
  Association& call = w.prepare();
  call.before = [&](int, const RtsAction& action) {
    const auto* write = std::get_if<Write>(&action);
    // GIVE TOKENS CONFIRM alone in its TSDU.
    turns += write != nullptr && write->bytes == octets("0300 0009 02f080 1500");
    return true;
  };
  call.run();
  CHECK_FALSE(w.a.finished->error);
  CHECK_FALSE(w.b.finished->error);
  REQUIRE(w.b.delivered.size() == 1000);
  REQUIRE(w.a.delivered.size() == 1000);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(w.b.delivered[static_cast<std::size_t>(i)] == w.a.outgoing.at("a" + std::to_string(i)).content);
    REQUIRE(w.a.delivered[static_cast<std::size_t>(i)] == w.b.outgoing.at("b" + std::to_string(i)).content);
  }
  CHECK(w.a.finished->traffic.sent == 1000);
  CHECK(w.a.finished->traffic.received == 1000);
  // Neither waits for the other's whole queue, and the turn does not change hands at every message.
  CHECK(turns > 60);
  CHECK(turns < 200);
}

TEST_CASE("rts turn: the responder's urgent mail goes before what is not urgent") {
  Pair w;
  for (int i = 0; i < 10; ++i) w.a.add("a" + std::to_string(i), content_of(100), i == 0 ? TransferPriority::urgent : TransferPriority::normal);
  w.b.add("urgent", content_of(50), TransferPriority::urgent);
  std::vector<std::string> order;
  Association& call = w.prepare();
  call.before = [&](int side, const RtsAction& action) {
    if (const auto* sent = std::get_if<TransferSent>(&action)) order.push_back(sent->id + (side == 0 ? "" : "!"));
    return true;
  };
  call.run();
  REQUIRE(order.size() == 11);
  CHECK(order[0] == "a0");
  CHECK(order[1] == "urgent!");
}

TEST_CASE("rts turn: a responder's mail is fetched also where nobody waits, and what comes later goes too") {
  Pair w;
  w.b.add("b", content_of(100));
  w.call([](RtsOptions& o) { o.lifetime = Duration(0); });
  CHECK(w.a.delivered.size() == 1);
  CHECK_FALSE(w.a.finished->error);

  // While the association is idle: on either side.
  Pair v;
  Association& call = v.prepare();
  bool added = false;
  v.a.add("first", content_of(100));
  call.before = [&](int side, const RtsAction& action) {
    if (side == 0 && std::holds_alternative<TransferSent>(action) && !added) {
      added = true;
      v.b.add("later", content_of(100));
      call.machine(1).wake(call.now);
      v.a.add("later-too", content_of(100));
    }
    return true;
  };
  call.run();
  CHECK(v.a.delivered.size() == 1);
  CHECK(v.b.delivered.size() == 2);
}

TEST_CASE("rts turn: a monologue flows one way") {
  Pair w;
  w.a.add("a", content_of(100));
  w.b.add("b", content_of(100));
  w.call([](RtsOptions& o) { o.two_way = false; });
  CHECK_FALSE(w.a.finished->error);
  CHECK_FALSE(w.b.finished->error);
  CHECK_FALSE(w.b.binds.at(0).two_way);
  CHECK(w.b.delivered.size() == 1);
  CHECK(w.a.delivered.empty());
  CHECK(w.b.asked == 0);
}

TEST_CASE("rts turn: stop() ends what is under way and takes nothing further") {
  Pair w;
  w.a.add("a1", content_of(100000));
  w.a.add("a2", content_of(100));
  w.b.add("b1", content_of(100));
  Association& call = w.prepare([](RtsOptions& o) { o.lifetime = std::chrono::hours(1); });
  call.before = [&](int side, const RtsAction& action) {
    if (side == 0 && std::holds_alternative<TransferStarted>(action)) call.machine(0).stop(call.now);
    return true;
  };
  call.run();
  CHECK_FALSE(w.a.finished->error);
  CHECK(w.b.delivered.size() == 1);
  CHECK(w.a.outgoing.at("a1").sent);
  CHECK_FALSE(w.a.outgoing.at("a2").sent);
  CHECK(call.now < TimePoint(std::chrono::minutes(1)));
  // The responder had asked for the turn with b1 in its hands: it gave it back.
  CHECK_FALSE(w.b.outgoing.at("b1").sent);
  REQUIRE(w.b.outgoing.at("b1").failed);
  CHECK(w.b.outgoing.at("b1").failed->code == Errc::messages_left);
}

TEST_CASE("rts turn: a responder that stops") {
  Pair w;
  w.a.add("a1", content_of(100000));
  w.a.add("a2", content_of(100));
  Association& call = w.prepare();
  call.before = [&](int side, const RtsAction& action) {
    if (side == 1 && std::holds_alternative<StoreSegment>(action)) call.machine(1).stop(call.now);
    return true;
  };
  call.run();
  CHECK(w.b.delivered.size() == 1);
  REQUIRE(w.a.finished->error);
  CHECK(w.a.finished->error->code == Errc::line_dropped);
  CHECK(w.b.finished->error->code == Errc::idle_timeout);
}

TEST_CASE("rts turn: the driver cannot store: nothing is acknowledged, and the transfer goes on later") {
  Pair w;
  w.a.add("a", content_of(100000));
  Association& call = w.prepare();
  int segments = 0;
  call.before = [&](int side, const RtsAction& action) { return !(side == 1 && std::holds_alternative<StoreSegment>(action) && ++segments == 3); };
  call.run();
  REQUIRE(w.b.finished->error);
  CHECK(w.b.finished->error->code == Errc::disk_full);
  REQUIRE(w.a.finished->error);
  CHECK(w.a.confirmations.back().serial == 2);
  CHECK(w.b.partial.begin()->second.segments.size() == 2);
  w.call();
  CHECK(w.association->recovering);
  CHECK(w.b.delivered == std::vector<std::string>{w.a.outgoing.at("a").content});
  CHECK(w.a.binds.back().recovered);
}

TEST_CASE("rts turn: a message that cannot be read is given back, and the others go") {
  Pair w;
  w.a.unreadable = true;
  w.a.add("a", content_of(100));
  w.b.add("b", content_of(100));
  w.call();
  CHECK_FALSE(w.a.finished->error);
  REQUIRE(w.a.outgoing.at("a").failed);
  CHECK(w.a.outgoing.at("a").failed->code == Errc::io);
  CHECK(w.a.delivered.size() == 1);
  CHECK(w.b.delivered.empty());
}

TEST_CASE("rts turn: a peer that never gives the turn back is left in peace, then left") {
  Met w;
  Foreign peer(w.site, false);
  peer.answer();
  peer.pass();   // the lifetime: the turn is offered
  CHECK(peer.count<TurnGiven>() == 1);
  peer.pass();   // asked back
  CHECK(peer.count<TurnAsked>() == 1);
  CHECK(digits(peer.last<TurnAsked>().user_data) == digits(octets("610a 3008 0201 03 a003 020100")));
  CHECK_FALSE(w.site.finished);
  peer.pass(2);
  REQUIRE(w.site.finished);
  CHECK_FALSE(w.site.finished->error);
}

TEST_CASE("rts turn: a caller that binds and then does nothing") {
  Met w;
  Foreign peer(w.site, true);
  peer.call();
  peer.pass();
  CHECK(peer.now >= TimePoint(std::chrono::minutes(6)));
  peer.pass(3);
  REQUIRE(w.site.finished);
  REQUIRE(w.site.finished->error);
  CHECK(w.site.finished->error->code == Errc::idle_timeout);
}

TEST_CASE("rts turn: exceptions: what the peer cannot take now is tried again and goes on; then it is given back") {
  for (const SessionReason reason : {SessionReason::receiving_jeopardized, SessionReason::unspecified, SessionReason::local_user_error}) {
    Met w;
    w.site.add("a", content_of(100000));
    Foreign peer(w.site, false, patient);
    int points = 0;
    int refusals = 0;
    peer.on_action = [&](SessionAction& action) {
      if (const auto* point = std::get_if<MinorSyncArrived>(&action)) {
        if (++points % 2 == 0) {
          ++refusals;
          (void)peer.session->report_exception(reason);
        } else {
          (void)peer.session->confirm_minor(point->serial);
        }
      } else if (std::holds_alternative<ActivityStopping>(action)) {
        (void)peer.session->confirm_stop();
      }
    };
    peer.answer();
    peer.pass(2);
    CHECK(peer.count<ActivityStarted>() == 1);
    CHECK(peer.count<ActivityResumed>() == 2);
    CHECK(refusals == 3);
    for (const SessionAction& one : peer.seen) {
      if (const auto* stopping = std::get_if<ActivityStopping>(&one)) CHECK_FALSE(stopping->discard);
    }
    // In this session, so no references; from the last point that was confirmed.
    const Resumption& from = peer.last<ActivityResumed>().from;
    CHECK(from.calling_reference.empty());
    CHECK(from.serial == 2);
    CHECK(digits(from.old_id) == "020101");
    CHECK(digits(from.id) == "020103");
    REQUIRE(w.site.outgoing.at("a").failed);
    CHECK(w.site.outgoing.at("a").failed->what.find("the peer cannot take the transfer") == 0);
    CHECK(w.site.outgoing.at("a").transfer.progress);
    CHECK_FALSE(w.site.finished);
  }
}

TEST_CASE("rts turn: an exception that cannot be got over discards the activity") {
  Met w;
  w.site.add("a", content_of(100000));
  Foreign peer(w.site, false, patient);
  peer.on_action = [&](SessionAction& action) {
    if (std::holds_alternative<MinorSyncArrived>(action)) (void)peer.session->report_exception(SessionReason::unrecoverable_procedure);
    if (std::holds_alternative<ActivityStopping>(action)) (void)peer.session->confirm_stop();
  };
  peer.answer();
  peer.pass(2);
  CHECK(peer.count<ActivityStarted>() == 3);
  CHECK(peer.count<ActivityResumed>() == 0);
  CHECK(peer.last<ActivityStopping>().discard);
  REQUIRE(w.site.outgoing.at("a").failed);
  CHECK_FALSE(w.site.outgoing.at("a").transfer.progress);
}

TEST_CASE("rts turn: a transfer may not take longer than its size allows") {
  Met w;
  w.site.add("a", content_of(2048), TransferPriority::urgent);
  Foreign peer(w.site, false, [](RtsOptions& o) {
    o.acknowledgement = std::chrono::hours(10);
    o.timeout_per_k[0] = std::chrono::seconds(30);
  });
  peer.answer();
  peer.pass();
  CHECK(peer.now == TimePoint(std::chrono::seconds(60)));
  CHECK(peer.count<ActivityStopping>() == 1);
  (void)peer.session->confirm_stop();
  peer.run();
  REQUIRE(w.site.outgoing.at("a").failed);
  CHECK(w.site.outgoing.at("a").failed->code == Errc::deadline);
  CHECK(w.site.outgoing.at("a").transfer.progress);
  CHECK_FALSE(w.site.finished);
}

TEST_CASE("rts turn: a transfer that the peer says it had before is sent") {
  Met w;
  w.site.add("a", content_of(100));
  w.site.outgoing.at("a").transfer.progress = OutgoingProgress{TransferKey{SessionId{octets("040141"), octets("1700"), ""}, octets("020107")}, {}, 15, 0};
  Foreign peer(w.site, false);
  peer.answer();
  REQUIRE(peer.count<ActivityResumed>() == 1);
  CHECK(digits(peer.last<ActivityResumed>().from.calling_reference) == "040141");
  CHECK(digits(peer.last<ActivityResumed>().from.old_id) == "020107");
  AbortPpdu abort;
  abort.user_data = {{1, encode_acse(AssociationAbort{false, AssociationData{3, encode_transfer_abort({7})}})}};
  (void)peer.session->abort(encode_abort(abort), peer.now);
  peer.run();
  CHECK(w.site.outgoing.at("a").sent);
  REQUIRE(w.site.finished);
  CHECK(w.site.finished->error->what == "the peer aborted the association: the transfer had been completed before");
}

TEST_CASE("rts turn: a peer that aborts when a transfer is to go on gets it whole the next time") {
  Met w;
  w.site.add("a", content_of(100));
  w.site.outgoing.at("a").transfer.progress = OutgoingProgress{TransferKey{SessionId{octets("040141"), octets("1700"), ""}, octets("020107")}, {}, 15, 0};
  Foreign peer(w.site, false);
  peer.answer();
  (void)peer.session->abort({}, peer.now);
  peer.run();
  REQUIRE(w.site.finished);
  CHECK_FALSE(w.site.outgoing.at("a").sent);
  CHECK_FALSE(w.site.outgoing.at("a").transfer.progress);
}
