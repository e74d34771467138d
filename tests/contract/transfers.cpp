// SPDX-License-Identifier: MIT
// What the spool keeps of transfers that go on after a cut: on a real file, opened anew between the steps as after a crash.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <memory>

#include "sys/spool/spool.hpp"
#include "sys/spool/spool_check.hpp"
#include "sys/state_paths.hpp"
#include "sys/system_clock.hpp"

using namespace longline;
using namespace longline::sys;

namespace {

std::string spool_path() { return std::string(std::getenv("LONGLINE_CONTRACT")); }

const WallTime kNow = wall_now();
const TransferName kName{std::string("\0session\xff", 9), std::string("\2\1\1", 3)};
const AgreedSession kSession{kName.session, "hub", "HUB", 15, 5, false, {}, false};

/// Each step sees what is on the disk alone.
Spool opened() {
  auto spool = Spool::open(spool_path());
  REQUIRE(spool);
  return std::move(*spool);
}

/// 0: no transfer has the name.
std::int64_t number(const TransferName& name = kName, const std::string& peer = "hub") {
  auto db = Sqlite::open(spool_path(), Sqlite::Mode::read_only, Duration(1000));
  REQUIRE(db);
  auto find = db->prepare("SELECT transfer FROM transfer_names WHERE peer=? AND session=? AND activity=?");
  REQUIRE(find);
  const auto row = find->bind(1, peer).bind_blob(2, name.session).bind_blob(3, name.activity).step();
  REQUIRE(row);
  return *row ? find->integer(0) : 0;
}

Result<void> store(std::int64_t serial, std::string_view bytes, const TransferName& name = kName, const AgreedSession& session = kSession,
                   WallTime now = kNow, const TransferBounds& bounds = {}) {
  return opened().store_segment({name, serial, bytes, serial == 1, number(name, session.peer)}, session, now, bounds).map([](std::int64_t) {});
}

Result<void> complete(const TransferName& name, WallTime now) { return opened().complete_incoming(number(name), now); }

std::optional<IncomingTransfer> incoming(const TransferName& name = kName, const std::string& peer = "hub") {
  auto found = opened().incoming_transfer(peer, name);
  REQUIRE(found);
  return *found;
}

std::string content(const TransferName& name = kName, const AgreedSession& session = kSession) {
  auto bytes = opened().incoming_content(number(name), session.session, incoming(name)->serial);
  REQUIRE(bytes);
  return *bytes;
}

std::int64_t count(const char* sql) {
  auto db = Sqlite::open(spool_path(), Sqlite::Mode::read_only, Duration(1000));
  REQUIRE(db);
  auto n = db->integer(sql);
  REQUIRE(n);
  return *n;
}

std::vector<std::string> findings() {
  StatePaths paths;
  paths.spool = spool_path();
  auto found = check_spool(paths, wall_now());
  REQUIRE(found);
  std::vector<std::string> codes;
  for (const SpoolFinding& f : *found) codes.push_back(f.code);
  return codes;
}

void change(const char* sql) {
  auto db = Sqlite::open(spool_path(), Sqlite::Mode::read_write, Duration(1000));
  REQUIRE(db);
  REQUIRE(db->run(sql));
}

/// One message for two recipients.
std::string queued() {
  mail::Submission submission;
  submission.sender = "alice@here.example";
  submission.recipients = {"bob@far.example", "carol@far.example"};
  submission.content = "Subject: x\r\n\r\nbody\r\n";
  auto id = opened().add(submission, kNow);
  REQUIRE(id);
  return *id;
}

OutgoingTransfer outgoing_of(const std::string& id) {
  OutgoingTransfer out;
  out.id = id;
  out.recipients = {"bob@far.example", "carol@far.example"};
  out.prefix = std::string("\x28\0prefix", 8);
  out.size = 1000;
  out.name = kName;
  out.latest = kSession;
  out.changed = kNow;
  return out;
}

void clean() {
  change("DELETE FROM transfers_in; DELETE FROM transfer_names; DELETE FROM transfer_segments; DELETE FROM transfers_out; DELETE FROM messages;"
         "DELETE FROM recipients; DELETE FROM bodies; DELETE FROM peers");
}

}  // namespace

TEST_CASE("what comes is there after each checkpoint, and in order") {
  CHECK_FALSE(incoming());
  REQUIRE(store(1, "one-"));
  REQUIRE(store(2, std::string_view("\0two-", 5)));
  REQUIRE(store(3, "three"));
  const auto found = incoming();
  REQUIRE(found);
  CHECK(found->serial == 3);
  CHECK(found->bytes == 14);
  CHECK_FALSE(found->completed);
  CHECK(content() == std::string("one-\0two-three", 14));
  // Another peer's transfer of the same name is another one.
  CHECK_FALSE(incoming(kName, "other"));
  CHECK_FALSE(incoming({kName.session, std::string("\2\1\2", 3)}));
  CHECK(findings().empty());
  clean();
}

TEST_CASE("checkpoints without the one before are refused, and change nothing") {
  CHECK(store(2, "two").error().code == Errc::protocol);
  REQUIRE(store(1, "one"));
  CHECK(store(3, "three").error().code == Errc::protocol);
  CHECK(opened().store_segment({kName, 1, "again", false, number()}, kSession, kNow, {}).error().code == Errc::protocol);
  CHECK(content() == "one");
  clean();
}

TEST_CASE("a transfer goes on behind a checkpoint in another session, and has both names") {
  REQUIRE(store(1, "one-"));
  REQUIRE(store(2, "two-"));
  REQUIRE(store(3, "lost"));
  AgreedSession second = kSession;
  second.session = "second";
  second.window = 3;
  const TransferName also{"second", std::string("\2\1\1", 3)};
  REQUIRE(opened().resume_incoming(kName, also, 2, second));
  CHECK(incoming(also)->serial == 2);
  CHECK(incoming(kName)->bytes == 8);
  REQUIRE(opened().store_segment({also, 3, "three", false, number(also)}, second, kNow, {}));
  CHECK(content(kName, second) == "one-two-three");
  CHECK(content(also, second) == "one-two-three");
  const auto latest = opened().find_session("second", "hub");
  REQUIRE(latest);
  REQUIRE(*latest);
  CHECK((*latest)->window == 3);
  CHECK_FALSE(*opened().find_session(kName.session, "hub"));
  CHECK(opened().resume_incoming({"x", "y"}, also, 1, second).error().code == Errc::protocol);
  clean();
}

TEST_CASE("a transfer is that of one association: one that goes on with it elsewhere has it alone") {
  REQUIRE(store(1, "one-"));
  REQUIRE(store(2, "two-"));
  const std::int64_t first = number();
  AgreedSession second = kSession;
  second.session = "second";
  REQUIRE(opened().resume_incoming(kName, {"second", "1"}, 2, second) == first);
  CHECK(store(3, "old").error().code == Errc::protocol);
  CHECK(opened().incoming_content(first, kSession.session, 2).error().code == Errc::protocol);
  CHECK(opened().incoming_content(first, "second", 1).error().code == Errc::protocol);
  CHECK(*opened().incoming_content(first, "second", 2) == "one-two-");
  clean();
}

TEST_CASE("a name that two unfinished transfers have had is neither's, and both go on where they are") {
  // As of two associations that began in the same second.
  const std::int64_t first = *opened().store_segment({kName, 1, "one-", true}, kSession, kNow, {});
  const std::int64_t second = *opened().store_segment({kName, 1, "anew-", true}, kSession, kNow, {});
  CHECK(first != second);
  CHECK_FALSE(incoming());
  CHECK(opened().resume_incoming(kName, {"third", "1"}, 1, kSession).error().code == Errc::protocol);
  REQUIRE(opened().store_segment({kName, 2, "two", false, first}, kSession, kNow, {}));
  REQUIRE(opened().store_segment({kName, 2, "again", false, second}, kSession, kNow, {}));
  CHECK(*opened().incoming_content(first, kSession.session, 2) == "one-two");
  CHECK(*opened().incoming_content(second, kSession.session, 2) == "anew-again");
  REQUIRE(opened().complete_incoming(first, kNow));
  REQUIRE(opened().drop_incoming(second));
  CHECK(findings().empty());
  clean();
}

TEST_CASE("a transfer that goes on under another's name takes it from both") {
  const TransferName taken{"second", "1"};
  const std::int64_t first = *opened().store_segment({kName, 1, "one-", true}, kSession, kNow, {});
  const std::int64_t other = *opened().store_segment({taken, 1, "other", true}, kSession, kNow, {});
  REQUIRE(opened().resume_incoming(kName, taken, 1, kSession) == first);
  CHECK_FALSE(incoming(taken));
  CHECK(number() == first);
  CHECK(*opened().incoming_content(other, kSession.session, 1) == "other");
  // What came whole is known by its bytes: its name is the next one's.
  REQUIRE(opened().complete_incoming(first, kNow));
  REQUIRE(store(1, "anew"));
  CHECK(number() != first);
  CHECK(content() == "anew");
  clean();
}

TEST_CASE("a transfer that was taken in is remembered under all its names, without its bytes") {
  REQUIRE(store(1, "one"));
  const TransferName also{"second", "2"};
  REQUIRE(opened().resume_incoming(kName, also, 1, kSession));
  REQUIRE(complete(kName, kNow));
  CHECK(incoming(kName)->completed);
  CHECK(incoming(also)->completed);
  CHECK(count("SELECT count(*) FROM transfer_segments") == 0);
  CHECK(opened().incoming_content(number(), kSession.session, 1).error().code == Errc::protocol);
  CHECK(opened().store_segment({kName, 2, "more", false, number()}, kSession, kNow, {}).error().code == Errc::protocol);
  CHECK_FALSE(*opened().find_session("", "hub"));   // nothing is unfinished
  CHECK(*opened().find_session(kName.session, ""));  // but its sender may not know
  REQUIRE(opened().note_completed({"small", "1"}, kSession, kNow, {}));
  CHECK(incoming({"small", "1"})->completed);
  REQUIRE(opened().drop_incoming(number({"small", "1"})));
  // A new transfer may have an old one's name.
  REQUIRE(store(1, "anew"));
  CHECK(content() == "anew");
  REQUIRE(opened().drop_incoming(number()));
  CHECK_FALSE(incoming());
  CHECK(count("SELECT count(*) FROM transfer_segments") == 0);
  clean();
}

TEST_CASE("what peers begin and never end is bounded by age, number and size") {
  const auto name = [](int n) { return TransferName{"s" + std::to_string(n), "1"}; };
  const TransferBounds bounds{100, Duration(1000), Duration(5000), 3};
  // By size: the oldest of the same peer go.
  for (int n = 0; n < 5; ++n) REQUIRE(store(1, std::string(40, 'x'), name(n), kSession, kNow + Duration(n), bounds));
  CHECK_FALSE(incoming(name(0)));
  CHECK_FALSE(incoming(name(1)));
  REQUIRE(incoming(name(4)));
  CHECK(count("SELECT sum(bytes) FROM transfers_in") <= 140);
  AgreedSession other = kSession;
  other.peer = "other";
  REQUIRE(store(1, std::string(90, 'x'), name(9), other, kNow + Duration(9), bounds));
  CHECK(incoming(name(4)));
  // By age, those that were taken in later.
  REQUIRE(complete(name(4), kNow));
  REQUIRE(store(1, "x", name(10), kSession, kNow + Duration(2000), bounds));
  CHECK_FALSE(incoming(name(3)));
  CHECK_FALSE(incoming(name(9), "other"));
  CHECK(incoming(name(4)));
  REQUIRE(store(1, "x", name(11), kSession, kNow + Duration(6000), bounds));
  CHECK_FALSE(incoming(name(4)));
  // By number.
  for (int n = 20; n < 26; ++n) {
    REQUIRE(store(1, "x", name(n), kSession, kNow + Duration(6000), bounds));
    REQUIRE(complete(name(n), kNow + Duration(6000)));
  }
  REQUIRE(store(1, "x", name(30), kSession, kNow + Duration(6000), bounds));
  CHECK_FALSE(incoming(name(22)));
  CHECK(incoming(name(23)));
  CHECK(count("SELECT count(*) FROM transfer_segments WHERE transfer NOT IN (SELECT n FROM transfers_in)") == 0);
  CHECK(count("SELECT count(*) FROM transfer_names WHERE transfer NOT IN (SELECT n FROM transfers_in)") == 0);
  clean();
}

TEST_CASE("what goes comes out the same after a restart, and ends with its message") {
  const std::string id = queued();
  CHECK_FALSE(opened().find(id)->bytes_done);
  OutgoingTransfer prepared = outgoing_of(id);
  prepared.name = {};
  prepared.latest = {"", "hub", "", 0, 0, false, {}, false};
  REQUIRE(opened().put_outgoing(prepared));
  CHECK_FALSE(opened().find(id)->bytes_done);   // nothing has begun
  REQUIRE(opened().put_outgoing(outgoing_of(id)));
  CHECK(opened().find(id)->bytes_done == 0);
  REQUIRE(opened().confirm_outgoing(id, "hub", 2, 640, kNow));
  const auto found = opened().outgoing_transfer(id, "hub");
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->prefix == outgoing_of(id).prefix);
  CHECK((*found)->recipients == outgoing_of(id).recipients);
  CHECK((*found)->name.session == kName.session);
  CHECK((*found)->name.activity == kName.activity);
  CHECK((*found)->latest.checkpoint_size == 15);
  CHECK((*found)->latest.mta == "HUB");
  CHECK((*found)->serial == 2);
  CHECK((*found)->bytes == 640);
  CHECK((*found)->size == 1000);
  CHECK((*found)->with_body);
  CHECK_FALSE(*opened().outgoing_transfer(id, "other"));
  CHECK(opened().find(id)->bytes_done == 640);
  std::optional<std::int64_t> listed;
  REQUIRE(opened().visit(Box::queue, [&](mail::QueuedMessage&& m) {
    listed = m.bytes_done;
    return true;
  }));
  CHECK(listed == 640);
  // Once the peer has answered for a recipient the transfer is over.
  MessageUpdate update;
  update.id = id;
  update.recipients = {{"bob@far.example", mail::RecipientState::delivered, "", {}}};
  update.ends_transfer = "hub";
  REQUIRE(opened().record({update}, kNow));
  CHECK_FALSE(*opened().outgoing_transfer(id, "hub"));
  REQUIRE(opened().put_outgoing(outgoing_of(id)));
  REQUIRE(opened().requeue(id));
  CHECK_FALSE(*opened().outgoing_transfer(id, "hub"));
  REQUIRE(opened().put_outgoing(outgoing_of(id)));
  REQUIRE(opened().remove(id));
  CHECK(count("SELECT count(*) FROM transfers_out") == 0);
  clean();
}

TEST_CASE("a session that the peer forgot: all of it starts anew, and nothing else") {
  const std::string id = queued();
  REQUIRE(opened().put_outgoing(outgoing_of(id)));
  REQUIRE(opened().confirm_outgoing(id, "hub", 2, 640, kNow));
  REQUIRE(store(1, "one"));
  AgreedSession other = kSession;
  other.session = "other";
  REQUIRE(store(1, "stays", {"other", "1"}, other));
  CHECK((*opened().find_session("", "hub"))->checkpoint_size == 15);
  CHECK_FALSE(*opened().find_session("", "elsewhere"));
  CHECK((*opened().find_session(kName.session, ""))->peer == "hub");
  CHECK((*opened().find_session(kName.session, ""))->outgoing);
  CHECK_FALSE((*opened().find_session("other", ""))->outgoing);
  CHECK_FALSE((*opened().find_session("other", ""))->forgets);
  CHECK((*opened().find_session(kName.session, ""))->changed == kNow);
  REQUIRE(opened().forget_session(kSession, kNow));
  CHECK((*opened().find_session("other", ""))->forgets);
  change("UPDATE peers SET learned=learned-8*86400000");
  CHECK_FALSE((*opened().find_session("other", ""))->forgets);
  CHECK_FALSE(*opened().find_session(kName.session, ""));
  const auto again = *opened().outgoing_transfer(id, "hub");
  REQUIRE(again);   // prepared: the bytes stay the same
  CHECK(again->serial == 0);
  CHECK(again->bytes == 0);
  CHECK(again->name.session.empty());
  CHECK(again->prefix == outgoing_of(id).prefix);
  CHECK_FALSE(incoming());
  CHECK(content({"other", "1"}, other) == "stays");
  clean();
}

TEST_CASE("check knows transfers that are torn, and those that nobody goes on with") {
  REQUIRE(store(1, "one"));
  CHECK(findings().empty());
  change("UPDATE transfers_in SET changed=changed-2*86400000");
  CHECK(findings() == std::vector<std::string>{"stale-transfer"});
  change("DELETE FROM transfer_segments; UPDATE transfers_in SET changed=changed+2*86400000");
  CHECK(findings() == std::vector<std::string>{"torn-transfer"});
  clean();
  OutgoingTransfer lost = outgoing_of(queued());
  REQUIRE(opened().put_outgoing(lost));
  change("DELETE FROM messages; DELETE FROM recipients; DELETE FROM bodies");   // as a longline does that knows no transfers
  CHECK(findings() == std::vector<std::string>{"orphan"});
  REQUIRE(opened().trim());
  CHECK(findings().empty());
  clean();
}

int main(int argc, char** argv) {
  if (std::getenv("LONGLINE_CONTRACT") == nullptr) return 2;
  return doctest::Context(argc, argv).run();
}
