// SPDX-License-Identifier: MIT
#include "mail/flush_plan.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

const WallTime kPlannedAt(Duration(1'800'000'000'000));

QueuedMessage planned_message(std::int64_t size, int priority = kNormal) {
  QueuedMessage m;
  m.size = size;
  m.priority = priority;
  m.arrived = kPlannedAt;
  m.sender = "a@b.example";
  return m;
}

TEST_CASE("what the peer has of a message does not go again, where a transfer goes on") {
  LineFacts facts{960, Duration(600)};
  QueuedMessage begun = planned_message(2'200);
  begun.bytes_done = 1'500;
  FlushPlan whole(facts, kPlannedAt);
  whole.add(begun, 1, 15);
  CHECK(whole.all().bytes == 2'200);
  facts.resumes = true;
  FlushPlan rest(facts, kPlannedAt);
  rest.add(begun, 1, 15);
  CHECK(rest.all().bytes == 700);
  CHECK(rest.all().wire_bytes < whole.all().wire_bytes - 1'500 + 1);
  // The peer counts the envelope, too.
  begun.bytes_done = 2'300;
  FlushPlan nearly(facts, kPlannedAt);
  nearly.add(begun, 1, 15);
  CHECK(nearly.all().bytes == 0);
  CHECK(nearly.all().messages == 1);
}

TEST_CASE("nothing costs nothing") {
  CHECK(FlushPlan({960, Duration(600)}, kPlannedAt).all().seconds == 0);
  CHECK(FlushPlan({960, Duration(600)}, kPlannedAt).all().round_trips == 0);
}

TEST_CASE("bytes at the rate and round trips make the time; TCP/IP comes on top") {
  LineFacts facts{960, Duration(600), 1, false, 2};
  FlushPlan line(facts, kPlannedAt);
  for (int i = 0; i < 20; ++i) line.add(planned_message(2'200), 1, 15);
  const LineCost cost = line.all();
  CHECK(cost.messages == 20);
  CHECK(cost.bytes == 44'000);
  CHECK(cost.wire_bytes == 20 * (2'200 + 70 + 11 + 15 + 14) + 40);
  CHECK(cost.round_trips == 22);
  CHECK(cost.seconds == doctest::Approx(static_cast<double>(cost.wire_bytes) / 960.0 + 22 * 0.6));
  facts.window = 8;
  facts.carries_ip = true;
  FlushPlan tcp(facts, kPlannedAt);
  for (int i = 0; i < 20; ++i) tcp.add(planned_message(2'200), 1, 15);
  CHECK(tcp.all().round_trips == 5);
  CHECK(tcp.all().wire_bytes > cost.wire_bytes * 103 / 100);
  CHECK(tcp.all().wire_bytes < cost.wire_bytes * 106 / 100);
}

TEST_CASE("what fits: urgent first, then the small ones; what is too large is passed over") {
  FlushPlan plan({1'000, Duration(0), 1, false, 0}, kPlannedAt);
  plan.add(planned_message(100'000), 1, 15);
  plan.add(planned_message(5'000, kUrgent), 1, 15);
  for (int i = 0; i < 10; ++i) plan.add(planned_message(1'000), 1, 15);
  CHECK(plan.within(Duration(1'000)).messages == 0);
  CHECK(plan.within(Duration(5'500)).bytes == 5'000);
  CHECK(plan.within(Duration(10'000)).bytes == 9'000);
  CHECK(plan.within(Duration(1'000'000)).messages == 12);
  const LineCost some = plan.within(Duration(60'000));
  CHECK(some.messages == 11);
  CHECK(some.seconds <= 60.0);
}

TEST_CASE("without a rate nobody knows the time, and all of it fits") {
  FlushPlan plan({0, Duration(0), 1, true, 3}, kPlannedAt);
  plan.add(planned_message(100'000), 1, 15);
  CHECK(plan.all().seconds == 0);
  CHECK(plan.within(Duration(1)).messages == 1);
}

}  // namespace
}  // namespace longline::mail
