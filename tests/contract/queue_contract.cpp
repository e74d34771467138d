// SPDX-License-Identifier: MIT
// What every queue must do, tried out on the one that LONGLINE_CONTRACT names: "ram", "spool:FILE", "postfix:DIR" or "exim:COMMAND". The
// real mail systems are started by tests/e2e/test_queues.py; their next hop must refuse connections, and their queue be empty.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "config/config.hpp"
#include "mail/connector_choice.hpp"
#include "mail/message.hpp"
#include "ram_queue.hpp"
#include "sys/queue/exim_queue.hpp"
#include "sys/queue/mta_command.hpp"
#include "sys/queue/postfix_queue.hpp"
#include "sys/queue/spool_queue.hpp"
#include "sys/system_clock.hpp"

using namespace longline;
using mail::MessageState;
using mail::QueueChange;
using mail::QueuedMessage;

namespace {

const std::string kContent = "From: alice@here.example\r\nMessage-ID: <contract@here.example>\r\nSubject: the contract\r\n\r\n.dots\r\n..\r\nbody\r\n";

struct World {
  config::Config config;
  std::unique_ptr<mail::QueueBackend> queue;
  mail::RamQueue* ram = nullptr;
  std::vector<std::string> submit;   // the command that queues a message, for the mail systems

  World() {
    const char* given = std::getenv("LONGLINE_CONTRACT");
    const std::string name = given == nullptr ? "ram" : given;
    const std::string rest = name.substr(name.find(':') + 1);
    if (name == "ram") {
      auto made = std::make_unique<mail::RamQueue>();
      ram = made.get();
      queue = std::move(made);
    } else if (name.starts_with("spool:")) {
      auto spool = sys::Spool::open(rest);
      REQUIRE(spool);
      queue = std::make_unique<sys::SpoolQueue>(std::move(*spool), config, "here.example");
    } else if (name.starts_with("postfix:")) {
      auto opened = sys::PostfixQueue::open(rest);
      REQUIRE(opened);
      queue = std::move(*opened);
      submit = {"/usr/sbin/sendmail", "-C", rest};
    } else {
      auto opened = sys::EximQueue::open("");
      REQUIRE(opened);
      queue = std::move(*opened);
      submit = {rest, "-odq"};
    }
  }
  ~World() {
    const auto left = list();
    (void)queue->change(QueueChange::remove, {left.begin(), left.end()});
  }

  void add(const std::string& sender, const std::vector<std::string>& recipients) {
    if (ram != nullptr) {
      ram->add(sender, recipients, kContent, sys::wall_now());
    } else if (auto* spool = dynamic_cast<sys::SpoolQueue*>(queue.get())) {
      mail::Submission submission;
      submission.sender = sender;
      submission.recipients = recipients;
      submission.content = kContent;
      submission.message_id = "<contract@here.example>";
      submission.subject = "the contract";
      REQUIRE(spool->spool().add(submission, sys::wall_now()));
    } else {
      sys::MtaCommand command{submit};
      command.argv.insert(command.argv.end(), {"-i", "-f", sender.empty() ? "<>" : sender});
      command.argv.insert(command.argv.end(), recipients.begin(), recipients.end());
      for (const char c : kContent) {
        if (c != '\r') command.input += c;
      }
      REQUIRE(sys::ask_mta(command));
    }
  }

  std::vector<QueuedMessage> list() {
    std::vector<QueuedMessage> out;
    REQUIRE(queue->visit([&](QueuedMessage&& message) {
      out.push_back(std::move(message));
      return true;
    }));
    return out;
  }

  // Mail systems work while we look: until the queue is as expected.
  std::vector<QueuedMessage> list_when(const std::function<bool(const std::vector<QueuedMessage>&)>& expected) {
    for (int i = 0; i < 600; ++i) {
      const auto now = list();
      if (expected(now)) return now;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL("the queue did not become what was expected in 30 s");
    return {};
  }

  // Rests: no delivery is under way.
  std::vector<QueuedMessage> rest(std::size_t count) {
    return list_when([&](const std::vector<QueuedMessage>& now) {
      return now.size() == count && std::all_of(now.begin(), now.end(), [](const QueuedMessage& m) {
               return m.state == MessageState::ready ? m.queue != "postfix" : m.state != MessageState::sending;
             });
    });
  }

  Result<void> change(QueueChange what, const QueuedMessage& message) {
    auto results = queue->change(what, {message});
    REQUIRE(results);
    REQUIRE(results->size() == 1);
    return results->front();
  }

  bool has(const std::string& id) {
    const auto now = list();
    return std::any_of(now.begin(), now.end(), [&](const QueuedMessage& m) { return m.id == id; });
  }
};

TEST_CASE("a message is listed with its envelope") {
  World world;
  const WallTime before = sys::wall_now();
  world.add("alice@here.example", {"bob@far.example", "carol@other.example"});
  const QueuedMessage message = world.rest(1).front();
  CHECK(message.sender == "alice@here.example");
  REQUIRE(message.recipients.size() == 2);
  CHECK(message.recipients[0].address == "bob@far.example");
  CHECK(message.recipients[1].address == "carol@other.example");
  CHECK(message.size >= 50);
  CHECK(message.arrived >= before - Duration(2'000));
  CHECK(message.arrived <= sys::wall_now() + Duration(2'000));
  CHECK(message.queue == world.queue->name());
  CHECK(world.queue->canonical_id(message.id) == message.id);
}

TEST_CASE("the null sender is empty") {
  World world;
  world.add("", {"bob@far.example"});
  CHECK(world.rest(1).front().sender.empty());
}

TEST_CASE("a message can be found, and read as it was submitted") {
  World world;
  world.add("alice@here.example", {"bob@far.example"});
  const std::string id = world.rest(1).front().id;
  const auto found = world.queue->find(id);
  REQUIRE(found);
  CHECK(found->id == id);
  if (world.ram == nullptr) {
    CHECK(found->message_id == "<contract@here.example>");
    CHECK(found->subject == "the contract");
  }
  std::string content;
  REQUIRE(world.queue->read(id, [&](std::string_view piece) {
    content += piece;
    return true;
  }));
  CHECK(mail::body_of(content) == mail::body_of(kContent));
  CHECK(mail::header_field(content, "Subject") == "the contract");
  bool bare = false;
  for (std::size_t i = 0; i < content.size(); ++i) bare = bare || (content[i] == '\n' && (i == 0 || content[i - 1] != '\r'));
  CHECK_FALSE(bare);
}

TEST_CASE("a visitor and a reader that have enough are asked no more") {
  World world;
  for (int i = 0; i < 3; ++i) world.add("alice@here.example", {"bob@far.example"});
  const std::string id = world.rest(3).front().id;
  int visits = 0, pieces = 0;
  REQUIRE(world.queue->visit([&](QueuedMessage&&) { return ++visits < 2; }));
  CHECK(visits == 2);
  REQUIRE(world.queue->read(id, [&](std::string_view) { return ++pieces < 1; }));
  CHECK(pieces == 1);
}

// All of it, in one line.
std::string shown(const QueuedMessage& m) {
  const auto number = [](const auto& value) { return value ? std::to_string(*value) : "-"; };
  std::string out = fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {}", m.id, m.inbox, m.queue, m.foreign, to_string(m.state),
                                format_iso8601(m.arrived), m.size, number(m.bytes_done), m.sender, m.priority, m.attempts, m.eight_bit,
                                m.message_id, m.subject);
  for (const mail::Recipient& r : m.recipients) {
    out += fmt::format("; {} {} '{}' {} {}", r.address, to_string(r.state), r.reason, to_string(r.reason_class),
                       r.next_attempt ? format_iso8601(*r.next_attempt) : "-");
  }
  return out;
}

TEST_CASE("a message of a listing has nothing of the one before, whatever the visitor did with that") {
  World world;
  auto* queue = dynamic_cast<sys::SpoolQueue*>(world.queue.get());
  if (queue == nullptr) return;
  sys::Spool& spool = queue->spool();
  const WallTime now = sys::wall_now();
  const auto add = [&](mail::Submission submission) {
    submission.content = kContent;
    auto id = spool.add(submission, now);
    REQUIRE(id);
    return *id;
  };
  const std::string longer(300, 'x');
  mail::Submission plain;
  plain.sender = "a@b";
  plain.recipients = {"c@d"};
  mail::Submission full;
  full.sender = longer + "@here.example";
  full.recipients = {"1" + longer + "@far.example", "2@far.example", "3@far.example", "4@far.example", "5@far.example"};
  full.priority = mail::kUrgent;
  full.eight_bit = true;
  full.message_id = "<" + longer + "@here.example>";
  full.subject = longer;
  const auto deferred = [&](const std::string& address) {
    return sys::RecipientUpdate{address, mail::RecipientState::deferred, "451 4.7.1 " + longer, now + Duration(60'000)};
  };
  std::vector<std::string> ids = {add(plain), add(full), add(plain), add(full), add(plain), add(full), add(plain)};
  // What can be said of a message is said of the second, fourth and sixth.
  REQUIRE(*spool.take_lease("link:isp") == std::nullopt);
  REQUIRE(spool.claim({ids[3]})->size() == 1);
  for (const std::size_t i : {1, 5}) {
    sys::MessageUpdate update;
    update.id = ids[i];
    for (const std::string& address : full.recipients) update.recipients.push_back(deferred(address));
    update.recipients[1].state = mail::RecipientState::in_doubt;
    update.counts = true;
    REQUIRE(spool.record({update}, now));
    sys::OutgoingTransfer transfer{ids[i], full.recipients, "prefix", true, 1000, {"session", "activity"}, {"session", "hub", "HUB", 15, 5, false, {}, false}};
    REQUIRE(spool.put_outgoing(transfer));
    REQUIRE(spool.confirm_outgoing(ids[i], "hub", 2, 640, now));
  }
  REQUIRE(spool.set_held(ids[5], true));

  std::vector<std::string> expected;
  for (const std::string& id : ids) expected.push_back(shown(*spool.find(id)));
  CHECK(expected[1].find("in-doubt") != std::string::npos);
  CHECK(expected[1].find(" 640 ") != std::string::npos);
  CHECK(expected[3].find("sending") != std::string::npos);
  CHECK(expected[5].find("held") != std::string::npos);
  std::vector<QueuedMessage> taken;
  const std::vector<std::function<void(QueuedMessage&)>> visitors = {
      [](QueuedMessage&) {},
      [&](QueuedMessage& message) { taken.push_back(std::move(message)); },
      [](QueuedMessage& message) { message.recipients.erase(message.recipients.begin()); },
      [](QueuedMessage& message) { const std::string sender = std::move(message.sender), reason = std::move(message.recipients.back().reason); },
      [](QueuedMessage& message) {
        message.queue = "exim";
        message.foreign = message.inbox = true;
        message.bytes_done = 1;
        message.recipients.resize(9);
      },
  };
  for (const auto& visitor : visitors) {
    std::vector<std::string> seen;
    REQUIRE(spool.visit(sys::Box::queue, [&](QueuedMessage&& message) {
      seen.push_back(shown(message));
      visitor(message);
      return true;
    }));
    CHECK(seen == expected);
  }
  REQUIRE(taken.size() == ids.size());
  for (std::size_t i = 0; i < taken.size(); ++i) CHECK(shown(taken[i]) == expected[i]);
  REQUIRE(spool.release_lease());
}

TEST_CASE("hold keeps a message, release gives it back, both may be said twice") {
  World world;
  world.add("alice@here.example", {"bob@far.example"});
  world.add("alice@here.example", {"carol@far.example"});
  const QueuedMessage message = world.rest(2).front();
  const auto is = [&](bool held) {
    return [&, held](const std::vector<QueuedMessage>& now) {
      return std::count_if(now.begin(), now.end(), [](const QueuedMessage& m) { return m.state == MessageState::held; }) == held && now.size() == 2;
    };
  };
  CHECK(world.change(QueueChange::hold, message));
  CHECK(world.list_when(is(true)).size() == 2);
  CHECK(world.queue->find(message.id)->state == MessageState::held);
  CHECK(world.change(QueueChange::hold, message));
  CHECK(world.change(QueueChange::release, message));
  world.list_when(is(false));
  CHECK(world.change(QueueChange::release, message));
}

TEST_CASE("remove takes one message and leaves the others") {
  World world;
  for (int i = 0; i < 3; ++i) world.add("alice@here.example", {"bob@far.example"});
  const auto messages = world.rest(3);
  CHECK(world.change(QueueChange::remove, messages[1]));
  CHECK_FALSE(world.has(messages[1].id));
  CHECK(world.has(messages[0].id));
  CHECK(world.has(messages[2].id));
  const Result<void> again = world.change(QueueChange::remove, messages[1]);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::not_found);
  CHECK(world.queue->find(messages[1].id).error().code == Errc::not_found);
  CHECK_FALSE(world.queue->read(messages[1].id, [](std::string_view) { return true; }));
}

TEST_CASE("each message of a change has its own result") {
  World world;
  for (int i = 0; i < 2; ++i) world.add("alice@here.example", {"bob@far.example"});
  const auto messages = world.rest(2);
  REQUIRE(world.change(QueueChange::remove, messages[0]));
  const auto results = world.queue->change(QueueChange::hold, {messages[0], messages[1]});
  REQUIRE(results);
  REQUIRE(results->size() == 2);
  CHECK_FALSE((*results)[0]);
  CHECK((*results)[1]);
}

TEST_CASE("bounce ends a message and tells its sender") {
  World world;
  world.add("alice@far.example", {"bob@far.example"});
  const QueuedMessage message = world.rest(1).front();
  CHECK(world.change(QueueChange::bounce, message));
  const auto now = world.list_when([&](const std::vector<QueuedMessage>& m) { return m.size() == 1 && m.front().id != message.id; });
  CHECK(now.front().sender.empty());
  REQUIRE(now.front().recipients.size() == 1);
  CHECK(now.front().recipients.front().address == "alice@far.example");
}

TEST_CASE("requeue keeps the message, or the queue says that it cannot") {
  World world;
  world.add("alice@here.example", {"bob@far.example"});
  const QueuedMessage message = world.rest(1).front();
  if (const auto why = world.queue->why_not(QueueChange::requeue)) {
    CHECK(why->find("cannot") != std::string::npos);
    CHECK(world.queue->change(QueueChange::requeue, {message}).error().code == Errc::usage);
    return;
  }
  CHECK(world.change(QueueChange::requeue, message));
  const auto now = world.list_when([](const std::vector<QueuedMessage>& m) { return m.size() == 1; });
  CHECK(now.front().sender == "alice@here.example");
}

TEST_CASE("recipients leave a message that others wait for, or the queue says that it cannot do that") {
  World world;
  world.add("alice@here.example", {"bob@far.example", "carol@far.example", "dan@far.example"});
  const QueuedMessage message = world.rest(1).front();
  if (!world.queue->removes_recipients()) {
    const auto refused = world.queue->remove_recipients({{message, {"bob@far.example"}}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::usage);
    CHECK(world.rest(1).front().recipients.size() == 3);
    return;
  }
  const auto removed = [&](const QueuedMessage& seen, const std::vector<std::string>& recipients) {
    auto results = world.queue->remove_recipients({{seen, recipients}});
    REQUIRE(results);
    REQUIRE(results->size() == 1);
    return results->front();
  };
  // What was held for this is not held any more; what was held before is.
  REQUIRE(world.change(QueueChange::hold, message));
  CHECK(removed(message, {"bob@far.example"}));
  QueuedMessage now = world.rest(1).front();
  CHECK(now.state == MessageState::ready);
  REQUIRE(now.recipients.size() == 2);
  CHECK(now.recipients[0].address == "carol@far.example");
  REQUIRE(world.change(QueueChange::hold, message));
  now = world.list().front();
  CHECK(removed(now, {"carol@far.example"}));
  now = world.list().front();
  CHECK(now.state == MessageState::held);
  CHECK(removed(now, {"nobody@far.example"}));
  CHECK(removed(now, {"dan@far.example"}));
  CHECK(world.list().empty());
  const Result<void> again = removed(now, {"dan@far.example"});
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::not_found);
}

TEST_CASE("a message goes with the last who waits, and its transfers with those they are for") {
  World world;
  auto* queue = dynamic_cast<sys::SpoolQueue*>(world.queue.get());
  if (queue == nullptr) return;
  sys::Spool& spool = queue->spool();
  world.add("alice@here.example", {"bob@far.example", "carol@far.example", "dan@far.example"});
  const QueuedMessage message = world.rest(1).front();
  sys::MessageUpdate update;
  update.id = message.id;
  update.recipients = {{"dan@far.example", mail::RecipientState::delivered, "", {}}};
  REQUIRE(spool.record({update}, sys::wall_now()));
  for (const auto& [connector, address] : {std::pair{"hub", "bob@far.example"}, {"spoke", "carol@far.example"}}) {
    REQUIRE(spool.put_outgoing({message.id, {address, "dan@far.example"}, "prefix", true, 1000, {"session", "activity"},
                                {"session", connector, "HUB", 15, 5, false, {}, false}}));
  }
  REQUIRE(world.queue->remove_recipients({{message, {"bob@far.example"}}}));
  CHECK_FALSE(*spool.outgoing_transfer(message.id, "hub"));
  CHECK(*spool.outgoing_transfer(message.id, "spoke"));
  CHECK(world.list().size() == 1);
  REQUIRE(world.queue->remove_recipients({{message, {"carol@far.example"}}}));
  CHECK(world.list().empty());
  CHECK_FALSE(*spool.outgoing_transfer(message.id, "spoke"));
}

TEST_CASE("what is being sent keeps its recipients") {
  World world;
  auto* queue = dynamic_cast<sys::SpoolQueue*>(world.queue.get());
  if (queue == nullptr) return;
  sys::Spool& spool = queue->spool();
  world.add("alice@here.example", {"bob@far.example", "carol@far.example"});
  const QueuedMessage message = world.rest(1).front();
  REQUIRE(*spool.take_lease("link:isp") == std::nullopt);
  REQUIRE(*spool.claim({message.id}) == std::vector<std::string>{message.id});
  CHECK(world.queue->remove_recipients({{message, {"bob@far.example"}}})->front().error().code == Errc::busy);
  REQUIRE(spool.release_lease());
  CHECK(world.queue->remove_recipients({{message, {"bob@far.example"}}})->front());
}

TEST_CASE("another message under the same id is left alone") {
  World world;
  world.add("alice@here.example", {"bob@far.example"});
  QueuedMessage message = world.rest(1).front();
  if (world.queue->name() == "spool") return;   // ids are never used again
  for (const QueueChange what : {QueueChange::hold, QueueChange::remove, QueueChange::bounce}) {
    QueuedMessage other = message;
    other.sender = "mallory@here.example";
    Result<void> done = world.change(what, other);
    REQUIRE_FALSE(done);
    CHECK(done.error().what.find("changed meanwhile") != std::string::npos);
    other = message;
    other.arrived -= Duration(10'000);
    CHECK_FALSE(world.change(what, other));
  }
  CHECK(world.rest(1).front().state != MessageState::held);
}

TEST_CASE("what is no id is not there") {
  World world;
  for (const char* id : {"", "-d", "../../etc/passwd", "ALL", "0000000", "1vO4xX-000ABC-00", "a b"}) {
    QueuedMessage message;
    message.id = id;
    const auto results = world.queue->change(QueueChange::remove, {message});
    REQUIRE(results);
    CHECK_FALSE(results->front());
    CHECK_FALSE(world.queue->find(id));
    CHECK_FALSE(world.queue->read(id, [](std::string_view) { return true; }));
  }
}

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  return context.run();
}
