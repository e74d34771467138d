// SPDX-License-Identifier: MIT
#include "mail/flush_selection.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

QueuedMessage entry(const std::string& id, std::int64_t size = 1'000, MessageState state = MessageState::deferred) {
  QueuedMessage out;
  out.id = id;
  out.size = size;
  out.state = state;
  out.foreign = true;
  out.recipients.resize(2);
  out.recipients[0].address = "bob@far.example";
  out.recipients[1].address = "carol@far.example";
  out.recipients[1].state = RecipientState::delivered;
  return out;
}

std::string asked(const FlushSelection& selection) {
  std::string ids;
  for (const QueuedMessage& one : selection.asked) ids += one.id;
  return ids;
}

std::string left(const FlushSelection& selection) {
  std::string ids;
  for (const Receipt& receipt : selection.left) ids += receipt.id;
  return ids;
}

TEST_CASE("a held message is left, and its receipt says so") {
  const FlushSelection selection = select_for_flush({entry("a"), entry("b", 1'000, MessageState::held), entry("c", 1'000, MessageState::ready)}, {});
  CHECK(asked(selection) == "ac");
  REQUIRE(left(selection) == "b");
  const Receipt& receipt = selection.left[0];
  CHECK(receipt.left());
  CHECK_FALSE(receipt.cause);
  REQUIRE(receipt.recipients.size() == 1);
  CHECK(receipt.recipients[0].address == "bob@far.example");
  CHECK(receipt.recipients[0].outcome == Outcome::deferred);
  CHECK(receipt.recipients[0].text == "held");
}

TEST_CASE("a limit of bytes takes small ones first, and passes over what does not fit") {
  FlushLimits limits;
  limits.max_bytes = 10'000;
  const FlushSelection selection = select_for_flush({entry("a", 7'000), entry("b", 4'000), entry("c", 3'000), entry("d", 3'000)}, limits);
  CHECK(asked(selection) == "cdb");
  REQUIRE(left(selection) == "a");
  CHECK(selection.left[0].outcome() == Outcome::not_tried);
  CHECK(selection.left[0].cause == Errc::messages_left);
  CHECK(selection.left[0].recipients[0].text == "with its 7.0 kB the limit of 10.0 kB would be passed");
}

TEST_CASE("a large one that has waited goes before small ones that just came") {
  FlushLimits limits;
  limits.max_bytes = 10'000;
  limits.now = WallTime(Duration(100LL * 3'600'000));
  std::vector<QueuedMessage> snapshot = {entry("a", 8'000), entry("b", 4'000)};
  snapshot[0].arrived = limits.now - Duration(10LL * 3'600'000);
  snapshot[1].arrived = limits.now;
  const FlushSelection selection = select_for_flush(snapshot, limits);
  CHECK(asked(selection) == "a");
  CHECK(left(selection) == "b");
}

TEST_CASE("what the mail system is sending already counts, and is not left") {
  FlushLimits limits;
  limits.max_bytes = 10'000;
  limits.is_begun = [](const QueuedMessage& one) { return one.state == MessageState::sending; };
  const FlushSelection selection =
      select_for_flush({entry("a", 3'000), entry("b", 8'000, MessageState::sending), entry("c", 1'500), entry("d", 50'000, MessageState::held)},
                       limits);
  CHECK(asked(selection) == "bc");
  CHECK(left(selection) == "da");
}

TEST_CASE("a limit of nothing leaves all") {
  FlushLimits limits;
  limits.max_bytes = 0;
  CHECK(asked(select_for_flush({entry("a"), entry("b", 0)}, limits)) == "b");
}

}  // namespace
}  // namespace longline::mail
