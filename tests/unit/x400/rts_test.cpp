// SPDX-License-Identifier: MIT
#include "x400/rts.hpp"

#include <doctest/doctest.h>

#include "unit/x400/rts_world.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

TEST_CASE("rts: an association without mail is bound, and released after its lifetime") {
  Pair w;
  Association& call = w.prepare();
  call.run();
  REQUIRE(w.a.finished);
  REQUIRE(w.b.finished);
  CHECK_MESSAGE(!w.a.finished->error, (w.a.finished->error ? w.a.finished->error->message() : ""));
  CHECK_MESSAGE(!w.b.finished->error, (w.b.finished->error ? w.b.finished->error->message() : ""));
  CHECK(w.a.finished->bound);
  CHECK(w.b.finished->bound);
  CHECK(call.now == TimePoint(std::chrono::seconds(15)));
  REQUIRE(w.a.binds.size() == 1);
  CHECK(w.a.binds[0].peer_name == "HUB");
  CHECK(w.b.binds[0].peer_name == "SITE7");
  CHECK(w.b.called_by == "SITE7");
  CHECK(w.a.binds[0].checkpoint_size == 15);
  CHECK(w.a.binds[0].session == w.b.binds[0].session);
}

TEST_CASE("rts: transfers both ways in one call") {
  Pair w;
  w.a.add("a1", content_of(300 * 1024, 1));
  w.a.add("a2", content_of(1, 2));
  w.b.add("b1", content_of(15 * 1024, 3));
  w.b.add("b2", content_of(15 * 1024 + 1, 4));
  w.prepare().run();
  CHECK_FALSE(w.a.finished->error);
  CHECK_FALSE(w.b.finished->error);
  CHECK(w.b.delivered == std::vector<std::string>{w.a.outgoing.at("a1").content, w.a.outgoing.at("a2").content});
  CHECK(w.a.delivered == std::vector<std::string>{w.b.outgoing.at("b1").content, w.b.outgoing.at("b2").content});
  CHECK(w.a.outgoing.at("a1").sent);
  CHECK(w.b.outgoing.at("b2").sent);
  CHECK_FALSE(w.a.misordered);
  CHECK_FALSE(w.b.misordered);
  CHECK(w.a.finished->traffic.sent == 2);
  CHECK(w.a.finished->traffic.received == 2);
  CHECK(w.a.finished->traffic.user_out == 300 * 1024 + 1);
}
