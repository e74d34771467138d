// SPDX-License-Identifier: MIT
#include "mail/postfix_listing.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

TEST_CASE("postqueue: a deferred message") {
  const auto message = parse_postfix_listing(
      R"({"queue_name": "deferred", "queue_id": "ABB5BA7A6FF", "arrival_time": 1795655831, "message_size": 272, "forced_expire": false, )"
      R"("sender": "alice@here.example", "recipients": [{"address": "bob@far.example", "delay_reason": "connect to 127.0.0.1[127.0.0.1]:1: )"
      R"(Connection refused"}, {"address": "x@y.example"}]})");
  REQUIRE(message);
  CHECK(message->id == "ABB5BA7A6FF");
  CHECK(message->queue == "postfix");
  CHECK(message->foreign);
  CHECK(message->state == MessageState::deferred);
  CHECK(format_iso8601(message->arrived) == "2026-11-26T01:17:11Z");
  CHECK(message->size == 272);
  CHECK(message->sender == "alice@here.example");
  REQUIRE(message->recipients.size() == 2);
  CHECK(message->recipients[0].state == RecipientState::deferred);
  CHECK(message->recipients[0].reason == "connect to 127.0.0.1[127.0.0.1]:1: Connection refused");
  CHECK(message->recipients[0].reason_class == ReasonClass::link);
  CHECK(message->recipients[1].state == RecipientState::waiting);
}

TEST_CASE("postqueue: queues become states, MAILER-DAEMON the null sender") {
  const auto state = [](const std::string& name) {
    return parse_postfix_listing(R"({"queue_id":"A1","queue_name":")" + name + R"(","sender":"MAILER-DAEMON"})").value();
  };
  CHECK(state("hold").state == MessageState::held);
  CHECK(state("active").state == MessageState::sending);
  CHECK(state("incoming").state == MessageState::ready);
  CHECK(state("maildrop").state == MessageState::ready);
  CHECK(state("some-new-queue").state == MessageState::ready);
  CHECK(state("hold").sender.empty());
}

TEST_CASE("postqueue: members of later versions, and wrong ones, do no harm") {
  const auto message = parse_postfix_listing(
      R"({"queue_id":"3F0AzB","new_member":{"a":[1]},"arrival_time":-5,"message_size":-1,"recipients":[{"address":7},"x",{"orig_address":"y"}]})");
  REQUIRE(message);
  CHECK(message->arrived == WallTime{});
  CHECK(message->size == 0);
  CHECK(message->recipients.size() >= 2);
  CHECK_FALSE(parse_postfix_listing("{}"));
  CHECK_FALSE(parse_postfix_listing("[]"));
  CHECK_FALSE(parse_postfix_listing(R"({"queue_id":"-d ALL"})"));
  CHECK_FALSE(parse_postfix_listing(R"({"queue_id":"../x"})"));
  CHECK(parse_postfix_listing(R"({"queue_id":"A","arrival_time":9223372036854775807})")->arrived.time_since_epoch().count() > 0);
}

TEST_CASE("postqueue: reasons come out escaped") {
  const auto message = parse_postfix_listing(R"({"queue_id":"A1","recipients":[{"address":"a@b","delay_reason":"x\u001b[2Jy\nz"}]})");
  REQUIRE(message);
  CHECK(message->recipients[0].reason == "x\\x1B[2Jy\\nz");
}

TEST_CASE("the folders of a hashed queue") {
  CHECK(postfix_hash_name("B0BEFA7A08F") == "B0BEFA7A08F");
  // Long: as Postfix 3.7 named them.
  CHECK(postfix_hash_name("4jZg2f3rp5z1bc9s").front() == '8');
  CHECK(postfix_hash_name("4jZg2f2ryNz1bc9n").front() == '6');
  CHECK(postfix_hash_name("4jZg2f399Dz1bc96").front() == '6');
  CHECK(postfix_hash_name("4NTNyd0000zKjM") == "00000");
  CHECK(postfix_hash_name("4NTNyd0010zKjM") == "00034");
  CHECK(postfix_hash_name("4NTNydAAAAzKjM") == "4NTNydAAAAzKjM");   // no digit: not a long id
}

TEST_CASE("Postfix's log") {
  const auto refused = parse_postfix_log(
      "Nov 26 01:17:17 mail postfix/smtp[13556]: 2EB1FA7A265: to=<nobody@far.example>, relay=mail.far.example[192.0.2.1]:25, delay=0.02, "
      "delays=0.01/0.01/0/0.01, dsn=5.1.1, status=bounced (host mail.far.example[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command))");
  REQUIRE(refused);
  CHECK(refused->id == "2EB1FA7A265");
  CHECK(refused->result.address == "nobody@far.example");
  CHECK(refused->result.outcome == Outcome::refused);
  CHECK(refused->result.code == 550);
  CHECK(refused->result.enhanced == "5.1.1");
  CHECK(refused->result.text == "no such user");
  const auto sent = parse_postfix_log("x postfix-2/relay/smtp[1]: 4NTNyd0000zKjM: to=<b@c>, orig_to=<d@e>, relay=r, dsn=2.0.0, "
                                       "status=sent (250 2.0.0 ok: queued as 1)");
  REQUIRE(sent);
  CHECK(sent->result.outcome == Outcome::sent);
  CHECK(sent->result.code == 250);
  CHECK(sent->result.enhanced == "2.0.0");
  CHECK(sent->result.text == "ok: queued as 1");
  const auto delivered = parse_postfix_log("x postfix/virtual[1]: A1: to=<b@c>, relay=virtual, dsn=2.0.0, status=sent (delivered to maildir)");
  REQUIRE(delivered);
  CHECK(delivered->result.code == 0);
  CHECK(delivered->result.text == "delivered to maildir");
  const auto deferred = parse_postfix_log("x postfix/smtp[1]: A1: to=<b@c>, relay=none, dsn=4.4.1, status=deferred (connect to h[1]:25: Connection refused)");
  REQUIRE(deferred);
  CHECK(deferred->result.outcome == Outcome::deferred);
  CHECK(deferred->result.code == 0);
  const auto expired = parse_postfix_log("x postfix/qmgr[9]: A1: from=<alice@here.example>, status=force-expired, returned to sender");
  REQUIRE(expired);
  CHECK(expired->result.address.empty());
  CHECK(expired->result.outcome == Outcome::refused);
  CHECK_FALSE(parse_postfix_log("x postfix/qmgr[9]: A1: from=<alice@here.example>, size=272, nrcpt=2 (queue active)"));
  CHECK_FALSE(parse_postfix_log("x postfix/qmgr[9]: A1: removed"));
  CHECK_FALSE(parse_postfix_log("x postfix/smtp[9]: connect to h: Connection refused"));
  CHECK_FALSE(parse_postfix_log(""));
  const auto removed = parse_postfix_log("x postfix/postsuper[9]: A1: removed");
  REQUIRE(removed);
  CHECK(removed->kind == Fate::Kind::removed);
  CHECK(removed->id == "A1");
  CHECK(parse_postfix_log("x postfix-2/postsuper[9]: A1: requeued")->kind == Fate::Kind::requeued);
  CHECK_FALSE(parse_postfix_log("x postfix/postsuper[9]: A1: placed on hold"));
  CHECK_FALSE(parse_postfix_log("x postfix/postsuper[9]: Requeued: 1 message"));
  const auto renamed = parse_postfix_log("x postfix/pickup[9]: B2: uid=102 from=<alice@here.example> orig_id=A1");
  REQUIRE(renamed);
  CHECK(renamed->kind == Fate::Kind::renamed);
  CHECK(renamed->id == "A1");
  CHECK(renamed->new_id == "B2");
  CHECK(parse_postfix_log("x postfix/pickup[9]: B2: uid=0 from=<> orig_id=A1")->new_id == "B2");
  CHECK_FALSE(parse_postfix_log("x postfix/pickup[9]: B2: uid=0 from=<alice@here.example>"));
  CHECK_FALSE(parse_postfix_log("x postfix/pickup[9]: B2: uid=0 from=<a> orig_id=A1>"));
  CHECK_FALSE(parse_postfix_log("x postfix/smtp[9]: B2: uid=0 from=<a> orig_id=A1"));
  // What a peer says cannot pass for Postfix's own words.
  CHECK(parse_postfix_log("x postfix/smtp[1]: A1: to=<b@c>, dsn=4.0.0, status=deferred (said: 450 status=sent (250 ok))")->result.outcome == Outcome::deferred);
}

}  // namespace
}  // namespace longline::mail
