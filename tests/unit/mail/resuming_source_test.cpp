// SPDX-License-Identifier: MIT
#include "mail/resuming_source.hpp"

#include <doctest/doctest.h>

#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

RecipientResult result(std::string address, Outcome outcome) { return {std::move(address), outcome, outcome == Outcome::sent ? 250 : 0, "", ""}; }

FakeSource two_messages() {
  FakeSource source;
  source.add("1", {"a@far.example", "b@far.example"}, "one\r\n");
  source.add("2", {"c@far.example"}, "two\r\n");
  return source;
}

}  // namespace

TEST_CASE("what has no answer is offered again, with the recipients that have none") {
  FakeSource source = two_messages();
  ResumingSource resuming(source);
  CHECK(resuming.next_message()->id == "1");
  CHECK(resuming.next_message()->id == "2");
  const auto answered = resuming.keep_unanswered(
      {{"1", {result("a@far.example", Outcome::sent), result("b@far.example", Outcome::in_doubt)}, true},
       {"2", {result("c@far.example", Outcome::not_tried)}, true}});
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].recipients.size() == 1);
  CHECK_FALSE(answered[0].last);   // more comes for this message

  resuming.offer_again();
  const auto first = resuming.next_message();
  CHECK(first->id == "1");
  CHECK(first->recipients == std::vector<std::string>{"b@far.example"});
  CHECK(first->size == 5);
  CHECK(*resuming.read_body("1", 0, 100) == "one\r\n");
  CHECK(resuming.next_message()->recipients == std::vector<std::string>{"c@far.example"});
  CHECK_FALSE(resuming.next_message());
  const auto second = resuming.keep_unanswered(
      {{"1", {result("b@far.example", Outcome::sent)}, true}, {"2", {result("c@far.example", Outcome::refused)}, true}});
  REQUIRE(second.size() == 2);
  CHECK(second[0].last);
  CHECK(second[1].last);
  CHECK(resuming.take_unanswered().empty());
}

TEST_CASE("what is never taken up again keeps the result that it had") {
  FakeSource source = two_messages();
  ResumingSource resuming(source);
  resuming.next_message();
  resuming.next_message();
  CHECK(resuming.keep_unanswered({{"1", {result("a@far.example", Outcome::in_doubt), result("b@far.example", Outcome::in_doubt)}, true},
                                  {"2", {result("c@far.example", Outcome::not_tried)}, true}})
            .empty());
  resuming.offer_again();
  CHECK(resuming.next_message()->id == "1");
  const auto answered = resuming.keep_unanswered(
      {{"1", {result("a@far.example", Outcome::sent)}, false}, {"1", {result("b@far.example", Outcome::in_doubt)}, true}});
  CHECK(answered.size() == 1);
  const auto left = resuming.take_unanswered();
  REQUIRE(left.size() == 2);
  for (const MessageResult& r : left) {
    CHECK(r.last);
    REQUIRE(r.recipients.size() == 1);
    CHECK(r.recipients[0].outcome == (r.id == "1" ? Outcome::in_doubt : Outcome::not_tried));
  }
  CHECK(resuming.take_unanswered().empty());
}

TEST_CASE("results of one message in pieces: the last piece is the last, wherever the unanswered one came") {
  FakeSource source = two_messages();
  ResumingSource resuming(source);
  resuming.next_message();
  CHECK(resuming.keep_unanswered({{"1", {result("a@far.example", Outcome::not_tried)}, false}}).empty());
  const auto answered = resuming.keep_unanswered({{"1", {result("b@far.example", Outcome::sent)}, true}});
  REQUIRE(answered.size() == 1);
  CHECK_FALSE(answered[0].last);
  const auto left = resuming.take_unanswered();
  REQUIRE(left.size() == 1);
  CHECK(left[0].last);
}
