// SPDX-License-Identifier: MIT
#include "mail/flush_follower.hpp"

#include <doctest/doctest.h>

#include "contract/ram_queue.hpp"

namespace longline::mail {
namespace {

const WallTime kArrived(Duration(1'795'000'000'000));
const TimePoint kStart(Duration(1'000'000));

// A mail system in memory and the follower that looks at it.
struct FollowerWorld {
  RamQueue queue;
  std::optional<FlushFollower> follower;
  TimePoint now = kStart;
  bool run_over = false;
  std::vector<Receipt> receipts;

  QueuedMessage& add(std::vector<std::string> recipients) {
    queue.add("alice@here.example", recipients, "x", kArrived);
    queue.messages.back().state = MessageState::deferred;
    return queue.messages.back();
  }
  void start(bool tells_fates = false) { follower.emplace(queue.messages, tells_fates); }
  std::size_t look(Duration later = Duration(100)) {
    now += later;
    follower->begin_listing();
    for (const QueuedMessage& message : queue.messages) follower->on_listed(message);
    const auto made = follower->end_listing(now, run_over);
    receipts.insert(receipts.end(), made.begin(), made.end());
    return made.size();
  }
  void fate(const std::string& id, const std::string& address, Outcome outcome, int code = 0, const std::string& text = "") {
    follower->on_fate({id, {address, outcome, code, "", text}});
  }
  std::optional<Errc> verdict() const {
    FlushTally tally;
    for (const Receipt& receipt : receipts) tally.add(receipt);
    const auto error = tally.judgement();
    return error ? std::optional(error->code) : std::nullopt;
  }
};

void defer(QueuedMessage& message, const std::string& reason, Duration next = Duration(300'000)) {
  message.state = MessageState::deferred;
  for (Recipient& r : message.recipients) {
    r.state = RecipientState::deferred;
    r.reason = reason;
    r.next_attempt = kArrived + next;
  }
}

TEST_CASE("what is gone from two listings was taken") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example"}).id;
  world.start();
  CHECK(world.look() == 0);
  world.queue.erase(id);
  CHECK(world.look() == 0);   // one listing may miss it
  CHECK(world.look() == 1);
  CHECK(world.receipts[0].outcome() == Outcome::sent);
  CHECK(world.follower->waiting() == 0);
  CHECK_FALSE(world.verdict());
}

TEST_CASE("a message that one listing misses is not taken for gone") {
  FollowerWorld world;
  const QueuedMessage message = world.add({"bob@far.example"});
  world.start();
  world.queue.erase(message.id);
  CHECK(world.look() == 0);
  world.queue.messages.push_back(message);
  CHECK(world.look() == 0);
  world.queue.messages.pop_back();
  CHECK(world.look() == 0);
  CHECK(world.look() == 1);
}

TEST_CASE("the log tells bounced from sent, and is waited for") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example", "nobody@far.example"}).id;
  world.start(true);
  world.queue.erase(id);
  CHECK(world.look() == 0);
  CHECK(world.look() == 0);
  world.fate(id, "bob@far.example", Outcome::sent);
  CHECK(world.look() == 0);
  world.fate(id, "NOBODY@far.example", Outcome::refused, 550, "no such user");
  CHECK(world.look() == 1);
  CHECK(world.receipts[0].outcome() == Outcome::refused);
  CHECK(world.receipts[0].recipients[0].outcome == Outcome::sent);
  CHECK(world.receipts[0].recipients[1].code == 550);
  CHECK(world.verdict() == Errc::refused);
}

TEST_CASE("a log that says nothing is waited for two seconds") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example"}).id;
  world.start(true);
  world.queue.erase(id);
  CHECK(world.look() == 0);
  CHECK(world.look(Duration(1'900)) == 0);
  CHECK(world.look(Duration(200)) == 1);
  CHECK(world.receipts[0].outcome() == Outcome::sent);
}

TEST_CASE("a message given up by the mail system is refused") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example"}).id;
  world.start(true);
  world.fate(id, "bob@far.example", Outcome::deferred, 0, "Connection refused");
  world.fate(id, "", Outcome::refused, 0, "status=expired, returned to sender");
  world.queue.erase(id);
  world.look();
  CHECK(world.look() == 1);
  CHECK(world.receipts[0].outcome() == Outcome::refused);
}

TEST_CASE("one recipient that stays keeps the message, and the verdict is 75") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example", "later@far.example"}).id;
  world.start(true);
  world.queue.messages[0].state = MessageState::sending;
  CHECK(world.look() == 0);
  world.fate(id, "bob@far.example", Outcome::sent);
  world.fate(id, "later@far.example", Outcome::deferred, 451, "host h said: 451 later");
  world.queue.messages[0].recipients.erase(world.queue.messages[0].recipients.begin());
  CHECK(world.look() == 0);   // still active
  defer(world.queue.messages[0], "host h said: 451 later");
  CHECK(world.look() == 1);
  CHECK(world.receipts[0].outcome() == Outcome::deferred);
  CHECK(world.receipts[0].recipients[0].outcome == Outcome::sent);
  CHECK(world.receipts[0].next_attempt);
  CHECK(world.verdict() == Errc::messages_left);
}

TEST_CASE("a dead next hop is told from a peer that puts off") {
  for (const auto& row : std::vector<std::pair<std::string, Errc>>{
           {"connect to h[192.0.2.1]:25: Connection refused", Errc::next_hop_unreachable},
           {"delivery temporarily suspended: connect to h[192.0.2.1]:25: Connection timed out", Errc::next_hop_unreachable},
           {"Host or domain name not found. Name service error for name=h type=A: Host not found, try again", Errc::next_hop_unreachable},
           {"host h said: 451 4.3.0 Connection refused by policy server", Errc::messages_left},
           {"lost connection with h while sending message body", Errc::messages_left},
           {"", Errc::messages_left}}) {
    FollowerWorld world;
    world.add({"bob@far.example"});
    world.start();
    const std::string& reason = row.first;
    CAPTURE(reason);
    defer(world.queue.messages[0], reason);
    CHECK(world.look() == 1);
    CHECK(world.verdict() == row.second);
  }
}

TEST_CASE("a reply that a reason quotes is a reply, with its code once") {
  FollowerWorld world;
  world.add({"bob@far.example"});
  world.start();
  defer(world.queue.messages[0], "host h[192.0.2.1] said: 451 4.7.1 come back later (in reply to RCPT TO command)");
  CHECK(world.look() == 1);
  const RecipientResult& result = world.receipts[0].recipients[0];
  CHECK(result.code == 451);
  CHECK(result.text == "come back later");
  CHECK(to_text(world.receipts[0]).ends_with("bob@far.example (451 come back later)"));
}

TEST_CASE("an attempt shows in the next attempt, in the reason, or in having been active") {
  FollowerWorld world;
  defer(world.add({"bob@far.example"}), "Connection refused");
  defer(world.add({"carol@far.example"}), "Connection refused");
  defer(world.add({"dan@far.example"}), "Connection refused");
  world.start();
  CHECK(world.look() == 0);
  defer(world.queue.messages[0], "Connection refused", Duration(900'000));
  CHECK(world.look() == 1);
  defer(world.queue.messages[1], "No route to host");
  CHECK(world.look() == 1);
  world.queue.messages[2].state = MessageState::sending;
  CHECK(world.look() == 0);
  world.queue.messages[2].state = MessageState::deferred;
  CHECK(world.look() == 1);
  CHECK(world.verdict() == Errc::next_hop_unreachable);
}

TEST_CASE("without any sign of life the verdict comes after five quiet seconds") {
  FollowerWorld world;
  defer(world.add({"bob@far.example"}), "Connection refused");
  world.start();
  CHECK(world.look() == 0);
  CHECK(world.look(Duration(4'900)) == 0);
  CHECK(world.look(Duration(200)) == 1);
  CHECK(world.verdict() == Errc::next_hop_unreachable);
}

TEST_CASE("a mail system that is at work is not quiet") {
  FollowerWorld world;
  defer(world.add({"bob@far.example"}), "Connection refused");
  world.add({"carol@far.example"}).state = MessageState::sending;
  world.start();
  for (int i = 0; i < 100; ++i) CHECK(world.look(Duration(1'000)) == 0);
}

TEST_CASE("the end of a queue run ends what it left") {
  FollowerWorld world;
  world.add({"bob@far.example"}).state = MessageState::ready;
  world.start();
  CHECK(world.look() == 0);
  world.run_over = true;
  CHECK(world.look() == 1);
  CHECK(world.receipts[0].left());
}

TEST_CASE("another message under the id means that ours is gone") {
  FollowerWorld world;
  const QueuedMessage message = world.add({"bob@far.example"});
  world.start();
  world.queue.messages[0].arrived += Duration(5'000);
  CHECK(world.look() == 0);
  CHECK(world.look() == 1);
  CHECK(world.receipts[0].outcome() == Outcome::sent);
}

TEST_CASE("the log's verdict stands for a message that a restarted mail system leaves lying") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example", "carol@far.example"}).id;
  world.queue.messages[0].state = MessageState::ready;
  world.start(true);
  for (int i = 0; i < 10; ++i) CHECK(world.look(Duration(500)) == 0);
  world.fate(id, "bob@far.example", Outcome::deferred, 0, "connect to h[192.0.2.1]:25: Connection timed out");
  for (int i = 0; i < 10; ++i) CHECK(world.look(Duration(500)) == 0);   // nothing about the other
  world.fate(id, "carol@far.example", Outcome::deferred, 0, "connect to h[192.0.2.1]:25: Connection timed out");
  CHECK(world.look(Duration(100)) == 0);   // it may be on its way to where such mail rests
  CHECK(world.look(Duration(1'000)) == 0);
  CHECK(world.look(Duration(600)) == 1);
  CHECK(world.receipts[0].outcome() == Outcome::deferred);
  CHECK(world.verdict() == Errc::next_hop_unreachable);
}

TEST_CASE("what lies ready for three seconds was overlooked") {
  FollowerWorld world;
  world.add({"bob@far.example"});
  const std::string id = world.add({"carol@far.example"}).id;
  world.queue.messages[1].state = MessageState::ready;
  world.start();
  world.look();
  CHECK(world.follower->overlooked(world.now).empty());
  world.look(Duration(2'900));
  CHECK(world.follower->overlooked(world.now).empty());
  world.look(Duration(200));
  CHECK(world.follower->overlooked(world.now) == std::vector<std::string>{id});
  world.queue.messages[1].state = MessageState::sending;
  world.look();
  world.queue.messages[1].state = MessageState::ready;
  world.look();
  CHECK(world.follower->overlooked(world.now).empty());
}

TEST_CASE("a message that somebody holds meanwhile is left") {
  FollowerWorld world;
  world.add({"bob@far.example"});
  world.start();
  world.queue.messages[0].state = MessageState::held;
  CHECK(world.look() == 1);
  CHECK(world.receipts[0].outcome() == Outcome::deferred);
}

TEST_CASE("when time runs out each message still has its receipt, once") {
  FollowerWorld world;
  for (int i = 0; i < 3; ++i) world.add({"bob@far.example"});
  world.start();
  const std::string gone = world.queue.messages[1].id;
  world.queue.erase(gone);
  world.look();
  const auto rest = world.follower->give_up(Errc::deadline);
  CHECK(rest.size() == 3);
  CHECK(world.follower->waiting() == 0);
  for (const Receipt& receipt : rest) CHECK(receipt.left() == (receipt.id != gone));
  CHECK(world.follower->give_up(Errc::deadline).empty());
}

}  // namespace
}  // namespace longline::mail
