// SPDX-License-Identifier: MIT
// Peers that break the rules, or forget, or wait: a clear end, and a store that is as it was.
#include <doctest/doctest.h>

#include "unit/x400/rts_foreign.hpp"
#include "unit/x400/rts_world.hpp"
#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

/// A foreign caller that is bound.
struct Caller : Met {
  explicit Caller(std::function<void(RtsOptions&)> adapt = {}) : peer(site, true, std::move(adapt)) { peer.call(); }
  void begin(std::string_view id = "020101") {
    (void)peer.session->start_activity(octets(id));
    peer.run();
  }
  void segment(std::string_view bytes, bool last = false) {
    peer.segment(bytes, last);
    peer.run();
  }
  /// A TSDU as it stands, past the foreign session's rules.
  void tsdu(std::string_view digits) {
    const std::string bytes = octets(digits);
    std::string packet = octets("0300 0000 02f080") + bytes;
    packet[3] = static_cast<char>(packet.size());
    peer.raw(packet);
  }
  void check_end(Errc code, std::string_view words) {
    REQUIRE(site.finished);
    REQUIRE(site.finished->error);
    CHECK_MESSAGE(site.finished->error->code == code, site.finished->error->message());
    CHECK_MESSAGE(site.finished->error->what.find(words) != std::string::npos, site.finished->error->message());
  }
  Foreign peer;
};

constexpr std::string_view kData = "0100 0100 610b 3009 0201 03 a004 0402 6162";

}  // namespace

TEST_CASE("rts hostile: points out of order, twice, from nowhere") {
  for (const std::string_view point : {"0100 3103 2a0133", "0100 3103 2a0131", "0100 3103 2a0130", "0100 3108 2a06393939393939"}) {
    Caller w;
    w.begin();
    w.segment("first");
    w.tsdu(kData);
    w.tsdu(point);
    w.check_end(Errc::protocol, "");
    CHECK(w.site.delivered.empty());
    REQUIRE(w.site.partial.size() == 1);
    CHECK(w.site.partial.begin()->second.segments == std::vector<std::string>{"first"});
    CHECK_FALSE(w.site.misordered);
  }
}

TEST_CASE("rts hostile: an end that comes twice delivers once") {
  Caller w;
  w.begin();
  w.segment("whole", true);
  CHECK(w.site.delivered == std::vector<std::string>{"whole"});
  w.tsdu("0100 2903 2a0131");
  w.check_end(Errc::protocol, "");
  CHECK(w.site.delivered.size() == 1);
}

TEST_CASE("rts hostile: an activity's identifier used again is another message") {
  Caller w;
  w.begin();
  w.segment("one", true);
  w.begin();
  w.segment("two");
  (void)w.peer.session->stop_activity(false, {});
  w.peer.run();
  (void)w.peer.session->confirm_stop();
  w.begin();
  w.segment("three", true);
  CHECK(w.site.delivered == std::vector<std::string>{"one", "three"});
  CHECK(w.site.partial.empty());
}

TEST_CASE("rts hostile: to go on with what is not here, or not so far") {
  Caller w;
  w.begin();
  w.segment("one");
  (void)w.peer.session->stop_activity(false, {});
  w.peer.run();
  Resumption from;
  from.id = octets("020102");
  from.old_id = octets("020101");
  from.serial = 5;
  (void)w.peer.session->resume_activity(from);
  w.peer.run();
  REQUIRE(w.peer.count<ExceptionReported>() == 1);
  CHECK(w.peer.last<ExceptionReported>().reason == SessionReason::sequence_error);
  CHECK(w.site.partial.begin()->second.segments.size() == 1);
  (void)w.peer.session->stop_activity(true, {});
  w.peer.run();
  CHECK(w.site.discarded == 1);
  CHECK(w.site.partial.empty());

  from.id = octets("020103");
  from.old_id = octets("020163");
  from.serial = 1;
  (void)w.peer.session->resume_activity(from);
  w.peer.run();
  CHECK(w.peer.count<ExceptionReported>() == 2);
  (void)w.peer.session->stop_activity(true, {});
  w.peer.run();
  // From its start it may: nothing of it is missing.
  from.serial = 0;
  (void)w.peer.session->resume_activity(from);
  w.segment("whole", true);
  CHECK(w.site.delivered == std::vector<std::string>{"whole"});
  CHECK_FALSE(w.site.finished);
}

TEST_CASE("rts hostile: a transfer that was completed is answered again and not delivered again") {
  Caller w;
  w.begin();
  w.segment("one");
  w.segment("two", true);
  CHECK(w.site.delivered == std::vector<std::string>{"onetwo"});
  for (const std::uint32_t serial : {1u, 0u}) {
    Resumption from;
    from.id = octets("020109");
    from.old_id = octets("020101");
    from.serial = serial;
    (void)w.peer.session->resume_activity(from);
    w.peer.run();
    if (serial == 0) w.segment("one");
    w.segment("two", true);
  }
  CHECK(w.peer.count<ActivityEndConfirmed>() == 3);
  CHECK(w.peer.count<MinorSyncConfirmed>() == 2);
  CHECK(w.site.delivered.size() == 1);
}

TEST_CASE("rts hostile: a receiver drops what lies behind the point from which the sender goes on") {
  Caller w;
  w.begin();
  w.segment("one");
  w.segment("two");
  w.segment("three");
  (void)w.peer.session->stop_activity(false, {});
  w.peer.run();
  Resumption from;
  from.id = octets("020102");
  from.old_id = octets("020101");
  from.serial = 1;
  (void)w.peer.session->resume_activity(from);
  w.peer.run();
  CHECK(w.site.partial.begin()->second.segments == std::vector<std::string>{"one"});
  w.segment("TWO");
  w.segment("THREE", true);
  CHECK(w.site.delivered == std::vector<std::string>{"oneTWOTHREE"});
}

TEST_CASE("rts hostile: segments that are too long, in another context, no octets, empty transfers") {
  {
    Caller w;
    w.begin();
    w.segment(std::string(15 * 1024 + 1025, 'x'));
    w.check_end(Errc::protocol, "more than the 16384 bytes that a segment may have");
  }
  {
    Caller w;
    w.begin();
    // In many pieces without a point between them: the same.
    for (int i = 0; i < 20; ++i) (void)w.peer.session->send_data(encode_segment(3, std::string(1000, 'x')));
    w.peer.run();
    w.check_end(Errc::protocol, "more than the 16384 bytes");
    CHECK(w.site.partial.empty());
  }
  {
    Caller w;
    w.begin();
    // A TSDU that never ends.
    int packets = 0;
    while (!w.site.finished && packets < 100) {
      ++packets;
      w.peer.raw(octets("0300 0407 02f000") + std::string(1024, 'x'));
    }
    w.check_end(Errc::protocol, "more in one piece than the 20480 bytes that it may have");
    CHECK(packets == 21);
  }
  {
    Caller w;
    w.begin();
    (void)w.peer.session->send_data(encode_segment(5, "x"));
    w.peer.run();
    w.check_end(Errc::protocol, "presentation context 5; expected 3");
  }
  {
    Caller w;
    w.begin();
    (void)w.peer.session->send_data("garbage");
    w.peer.run();
    w.check_end(Errc::protocol, "a segment of the peer's transfer");
  }
  {
    Caller w;
    w.begin();
    (void)w.peer.session->end_activity();
    w.peer.run();
    CHECK(w.peer.count<ExceptionReported>() == 1);
    CHECK(w.site.delivered.empty());
  }
}

TEST_CASE("rts hostile: a transfer that is larger than what is taken") {
  Caller w([](RtsOptions& o) { o.max_transfer = 30000; });
  w.begin();
  for (int i = 0; i < 3; ++i) w.segment(std::string(15 * 1024, 'x'));
  REQUIRE(w.peer.count<ExceptionReported>() == 1);
  CHECK(w.peer.last<ExceptionReported>().reason == SessionReason::unrecoverable_procedure);
  CHECK(w.site.partial.begin()->second.segments.size() == 1);
  (void)w.peer.session->stop_activity(true, {});
  w.peer.run();
  CHECK(w.site.partial.empty());
  CHECK_FALSE(w.site.finished);
}

TEST_CASE("rts hostile: acknowledgements that never come") {
  Met w;
  w.site.add("a", content_of(100000));
  Foreign peer(w.site, false);
  peer.answer();
  CHECK(peer.count<MinorSyncArrived>() == 3);   // the window
  // Whatever else the peer says.
  peer.now += std::chrono::minutes(4);
  peer.rts->on_time(peer.now);
  peer.run();
  CHECK_FALSE(w.site.finished);
  peer.pass(3);
  REQUIRE(w.site.finished);
  CHECK(w.site.finished->error->code == Errc::deadline);
  CHECK(w.site.finished->error->what == "the peer has acknowledged nothing for 5m");
  CHECK(peer.now < TimePoint(std::chrono::minutes(20)));
  CHECK(w.site.outgoing.at("a").transfer.progress);
}

TEST_CASE("rts hostile: acknowledgements of points that were not sent, or twice") {
  for (const std::string_view answer : {"0200 3203 2a0139", "0200 3203 2a0130", "0200 2a03 2a0134"}) {
    Met w;
    w.site.add("a", content_of(100000));
    Foreign peer(w.site, false);
    peer.answer();
    std::string packet = octets("0300 000e 02f080") + octets(answer);
    packet[3] = static_cast<char>(packet.size());
    peer.raw(packet);
    REQUIRE(w.site.finished);
    CHECK(w.site.finished->error->code == Errc::protocol);
    CHECK_FALSE(w.site.outgoing.at("a").sent);
    CHECK(w.site.confirmations.empty());
  }
}

TEST_CASE("rts hostile: a segment that trickles, one that stops, a peer that goes silent in its transfer") {
  {
    Caller w;
    w.begin();
    w.tsdu(kData);
    // A packet of 100 bytes, one of them a minute.
    w.peer.rts->on_bytes(octets("0300 0064"), w.peer.now);
    for (int i = 0; i < 60 && !w.site.finished; ++i) {
      w.peer.now += std::chrono::minutes(1);
      w.peer.rts->on_time(w.peer.now);
      w.peer.rts->on_bytes("x", w.peer.now);
      w.peer.run();
      if (i == 0) CHECK_FALSE(w.site.finished);
    }
    w.peer.pass(2);
    w.check_end(Errc::deadline, "the peer does not get on with what it sends");
    CHECK(w.peer.now < TimePoint(std::chrono::minutes(10)));
  }
  {
    Caller w;
    w.begin();
    w.segment("one");
    w.peer.pass();
    CHECK(w.peer.now == TimePoint(std::chrono::minutes(5)));
    w.peer.pass(2);
    w.check_end(Errc::deadline, "the peer has sent nothing of its transfer for 5m");
    CHECK(w.site.partial.size() == 1);
  }
}

TEST_CASE("rts hostile: a peer that forgot, or wants another checkpoint size, gets it whole") {
  for (const bool forgets : {true, false}) {
    Site a("SITE7");
    Site b("HUB");
    a.expects(b);
    b.expects(a);
    a.add("big", content_of(100000));
    Association first(a, b, 1);
    first.cut_behind(0, 60000);
    first.run();
    REQUIRE(first.was_cut());
    REQUIRE(b.partial.size() == 1);
    if (forgets) b.forget_incoming();
    Association second(a, b, 2, Association::Flow::by_write, [&](RtsOptions& o) {
      if (!forgets) o.recover->checkpoint_size = 10;
    });
    CHECK(second.recovering);
    second.run();
    REQUIRE(a.finished);
    CHECK(a.finished->recovery_refused);
    CHECK(a.finished->error->what == "the peer can no longer recover the session that was cut");
    CHECK(b.finished->recovery_refused);
    CHECK_FALSE(a.finished->bound);
    a.forget_progress();
    Association third(a, b, 3);
    CHECK_FALSE(third.recovering);
    third.run();
    CHECK_FALSE(a.finished->error);
    CHECK(b.delivered == std::vector<std::string>{a.outgoing.at("big").content});
    CHECK(third.user_bytes(0) == 100000);
  }
}

TEST_CASE("rts hostile: a foreign peer that recovers with another size is left, and gets it whole") {
  Met w;
  w.site.add("a", content_of(100));
  const SessionId old{octets("040141"), octets("1700"), ""};
  Foreign peer(w.site, false, [&](RtsOptions& o) { o.recover = RecoverableSession{old, 15, 3, true}; });
  TransferAccept accept{10, 3, {}};
  accept.connection.recover = old;
  peer.answer(accept);
  REQUIRE(w.site.finished);
  CHECK(w.site.finished->recovery_refused);
  CHECK(w.site.finished->error->what == "a session with a checkpoint size of 15 K cannot be recovered with 10 K");
}

TEST_CASE("rts hostile: an open bind, and other segments than before: what cannot go on starts anew") {
  Met w;
  w.site.add("a", content_of(100000));
  w.site.outgoing.at("a").transfer.progress = OutgoingProgress{TransferKey{SessionId{octets("040141"), octets("1700"), ""}, octets("020107")}, {}, 15, 2};
  Foreign larger(w.site, false);
  larger.answer(TransferAccept{10, 3, {}});
  CHECK(larger.count<ActivityResumed>() == 0);
  CHECK(larger.count<ActivityStarted>() == 1);

  Met v;
  v.site.peer.checkpoint_size = 30;
  v.site.add("a", content_of(100000));
  v.site.outgoing.at("a").transfer.progress = OutgoingProgress{TransferKey{SessionId{octets("040141"), octets("1700"), ""}, octets("020107")}, {}, 15, 2};
  Foreign smaller(v.site, false);
  smaller.answer(TransferAccept{30, 3, {}});
  REQUIRE(smaller.count<ActivityResumed>() == 1);
  CHECK(smaller.last<ActivityResumed>().from.serial == 2);
  // In the segments in which it began.
  REQUIRE(smaller.count<DataArrived>() == 3);
  CHECK(decode_segment(smaller.last<DataArrived>().bytes)->bytes == content_of(100000).substr(4 * 15 * 1024, 15 * 1024));
}
