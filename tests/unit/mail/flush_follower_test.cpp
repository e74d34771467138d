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
  std::optional<bool> run_over;
  std::vector<Receipt> receipts;

  QueuedMessage& add(std::vector<std::string> recipients) {
    queue.add("alice@here.example", recipients, "x", kArrived);
    queue.messages.back().state = MessageState::deferred;
    return queue.messages.back();
  }
  void start(bool tells_fates = false) { follower.emplace(queue.messages, tells_fates); }
  // As Postfix: what is requeued comes again under another id. The first `n` messages are what was asked for.
  void start_with_new_ids(bool tells_fates, std::size_t n) {
    std::set<std::string> others;
    for (std::size_t i = n; i < queue.messages.size(); ++i) others.insert(queue.messages[i].id);
    follower.emplace(std::vector(queue.messages.begin(), queue.messages.begin() + static_cast<std::ptrdiff_t>(n)), tells_fates, others);
  }
  void told(const std::string& id, Fate::Kind kind, const std::string& new_id = "", const std::string& address = "") {
    follower->on_fate({id, {address, Outcome::not_tried, 0, "", ""}, kind, new_id});
  }
  void come_again(const std::string& id, const std::string& new_id) {
    for (QueuedMessage& message : queue.messages) {
      if (message.id != id) continue;
      message.id = new_id;
      message.size += 115;   // a header line
    }
  }
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

TEST_CASE("a requeued message is followed under its new id") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example", "carol@far.example"}).id;
  world.start_with_new_ids(true, 1);
  CHECK(world.look() == 0);
  world.fate(id, "bob@far.example", Outcome::sent, 250, "ok");
  world.fate(id, "carol@far.example", Outcome::deferred, 0, "Connection refused");
  world.queue.messages[0].recipients.erase(world.queue.messages[0].recipients.begin());
  world.told(id, Fate::Kind::requeued);
  // It lies in maildrop until somebody looks there; what was said before says nothing of that.
  world.queue.messages[0].state = MessageState::ready;
  for (int i = 0; i < 10; ++i) CHECK(world.look(Duration(1'000)) == 0);
  CHECK(world.follower->overlooked(world.now) == std::vector<std::string>{id});
  // The log is read after the listing, in which neither may be.
  world.come_again(id, "NEW1");
  world.follower->begin_listing();
  world.told(id, Fate::Kind::renamed, "NEW1");
  CHECK(world.follower->end_listing(world.now, std::nullopt).empty());
  world.queue.messages[0].state = MessageState::sending;
  CHECK(world.look() == 0);
  SUBCASE("to its end") {
    world.queue.erase("NEW1");
    world.queue.messages.clear();
    CHECK(world.look() == 0);
    CHECK(world.look() == 0);   // the log has not said so yet
    world.fate("NEW1", "carol@far.example", Outcome::sent, 250, "taken");
    CHECK(world.look() == 1);
    CHECK_FALSE(world.verdict());
  }
  SUBCASE("and is left") {
    world.fate("NEW1", "carol@far.example", Outcome::deferred, 451, "later");
    defer(world.queue.messages[0], "host h said: 451 later");
    CHECK(world.look() == 1);
    CHECK(world.verdict() == Errc::messages_left);
  }
  SUBCASE("requeued once more") {
    world.told("NEW1", Fate::Kind::requeued);
    world.told("NEW1", Fate::Kind::renamed, "NEW2");
    world.come_again("NEW1", "NEW2");
    CHECK(world.look() == 0);
    defer(world.queue.messages[0], "host h said: 451 later");
    CHECK(world.look() == 1);
    CHECK(world.verdict() == Errc::messages_left);
  }
  REQUIRE(world.receipts.size() == 1);
  CHECK(world.receipts[0].id == id);
  CHECK(world.receipts[0].recipients[0].outcome == Outcome::sent);
  CHECK(world.receipts[0].recipients[0].code == 250);
}

TEST_CASE("what lies under its new id until somebody asks is asked for, once") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example"}).id;
  defer(world.queue.messages[0], "deferred transport");
  world.start_with_new_ids(true, 1);
  world.told(id, Fate::Kind::requeued);
  world.told(id, Fate::Kind::renamed, "NEW1");
  world.come_again(id, "NEW1");
  world.fate("NEW1", "bob@far.example", Outcome::deferred, 0, "deferred transport");
  defer(world.queue.messages[0], "deferred transport", Duration(600'000));
  CHECK(world.look() == 0);
  CHECK(world.follower->to_be_asked_for() == std::vector<std::string>{"NEW1"});
  CHECK(world.look() == 0);
  CHECK(world.follower->to_be_asked_for().empty());
  defer(world.queue.messages[0], "Connection refused", Duration(900'000));
  CHECK(world.look() == 1);
  CHECK(world.receipts[0].id == id);
  CHECK(world.verdict() == Errc::next_hop_unreachable);
}

TEST_CASE("a message that is gone without a word is looked for under another id") {
  for (const bool readable : {false, true}) {
    CAPTURE(readable);
    FollowerWorld world;
    const std::string id = world.add({"bob@far.example", "carol@far.example"}).id;
    const std::string other = world.add({"bob@far.example"}).id;   // sent in the same second, and not asked for
    world.start_with_new_ids(readable, 1);
    CHECK(world.look() == 0);
    SUBCASE("found") {
      world.come_again(id, "NEW1");
      world.queue.messages[0].recipients.pop_back();
      for (int i = 0; i < 5; ++i) CHECK(world.look(Duration(600)) == 0);
      defer(world.queue.messages[0], "Connection refused");
      CHECK(world.look() == 1);
      CHECK(world.receipts[0].id == id);
      CHECK(world.verdict() == Errc::next_hop_unreachable);
    }
    SUBCASE("found, and gone then") {
      world.come_again(id, "NEW1");
      for (int i = 0; i < 5; ++i) CHECK(world.look(Duration(600)) == 0);
      world.queue.erase("NEW1");
      world.queue.messages.erase(world.queue.messages.begin());
      world.look(Duration(2'500));
      world.look(Duration(2'500));
      CHECK_FALSE(world.verdict());
    }
    SUBCASE("what was there before is another, and so is what looks different") {
      world.come_again(id, "NEW1");
      SUBCASE("sender") { world.queue.messages[0].sender = "dan@here.example"; }
      SUBCASE("recipient") { world.queue.messages[0].recipients[0].address = "dan@far.example"; }
      SUBCASE("time") { world.queue.messages[0].arrived += Duration(1'000); }
      SUBCASE("smaller") { world.queue.messages[0].size = 0; }
      world.look();
      world.look(Duration(2'500));
      CHECK(world.receipts.size() == 1);
      CHECK_FALSE(world.verdict());
    }
  }
}

TEST_CASE("a requeued message that cannot be found again is in doubt") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example"}).id;
  world.start_with_new_ids(true, 1);
  world.told(id, Fate::Kind::requeued);
  world.queue.messages.clear();
  world.look();
  CHECK(world.look(Duration(2'500)) == 1);
  CHECK(world.receipts[0].outcome() == Outcome::in_doubt);
  CHECK(world.verdict() == Errc::messages_left);
}

TEST_CASE("what somebody removed has no receipt, but for those who had it before") {
  FollowerWorld world;
  const std::string id = world.add({"bob@far.example"}).id;
  const std::string partly = world.add({"bob@far.example", "carol@far.example"}).id;
  const std::string stays = world.add({"dan@far.example", "erin@far.example"}).id;
  world.start(true);
  world.fate(id, "bob@far.example", Outcome::deferred, 0, "Connection refused");
  world.fate(partly, "carol@far.example", Outcome::sent, 250, "ok");
  world.told(id, Fate::Kind::removed);
  world.told(partly, Fate::Kind::removed);
  world.told(stays, Fate::Kind::removed, "", "DAN@far.example");
  world.queue.erase(id);
  world.queue.erase(partly);
  world.queue.messages[0].recipients[0].state = RecipientState::delivered;
  CHECK(world.look() == 0);
  CHECK(world.look() == 1);
  CHECK(world.follower->removed() == 1);
  CHECK(world.receipts[0].id == partly);
  REQUIRE(world.receipts[0].recipients.size() == 1);
  CHECK(world.receipts[0].recipients[0].address == "carol@far.example");
  CHECK_FALSE(world.verdict());
  defer(world.queue.messages[0], "451 later");
  world.queue.messages[0].recipients[0].state = RecipientState::delivered;
  CHECK(world.look() == 1);
  REQUIRE(world.receipts[1].recipients.size() == 1);
  CHECK(world.receipts[1].recipients[0].address == "erin@far.example");
  // Removed while time ran out.
  FollowerWorld late;
  const std::string gone = late.add({"bob@far.example"}).id;
  late.start(true);
  late.told(gone, Fate::Kind::removed);
  late.queue.erase(gone);
  late.look();
  CHECK(late.follower->give_up(Errc::deadline).empty());
}

TEST_CASE("who was refused is refused, though the message stays for another") {
  FollowerWorld world;
  const std::string id = world.add({"nobody@far.example", "later@far.example"}).id;
  world.start(true);
  world.run_over = false;
  world.queue.messages[0].state = MessageState::deferred;
  world.queue.messages[0].recipients[1].reason = "451 later";
  CHECK(world.look() == 0);
  world.fate(id, "later@far.example", Outcome::deferred, 451, "later");
  for (int i = 0; i < 10; ++i) CHECK(world.look(Duration(1'000)) == 0);   // the run goes on with the other
  world.fate(id, "nobody@far.example", Outcome::refused, 550, "no such mailbox");
  CHECK(world.look() == 1);
  const Receipt& receipt = world.receipts[0];
  CHECK(receipt.recipients[0].outcome == Outcome::refused);
  CHECK(receipt.recipients[0].code == 550);
  CHECK(receipt.recipients[1].outcome == Outcome::deferred);
  CHECK(receipt.recipients[1].code == 451);
  CHECK(world.verdict() == Errc::messages_left);
}

TEST_CASE("a mail system that does not run is not quiet, and its messages wait for it") {
  FollowerWorld world;
  defer(world.add({"bob@far.example"}), "Connection refused");
  world.start(true);
  for (int i = 0; i < 20; ++i) {
    world.follower->excuse_quiet();
    CHECK(world.look(Duration(1'000)) == 0);
  }
  const auto receipts = world.follower->give_up(Errc::next_hop_unreachable, "the mail system does not run");
  REQUIRE(receipts.size() == 1);
  CHECK(receipts[0].cause == Errc::next_hop_unreachable);
  CHECK(receipts[0].recipients[0].text == "the mail system does not run");
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
