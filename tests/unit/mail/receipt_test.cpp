// SPDX-License-Identifier: MIT
#include "mail/receipt.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

Receipt receipt(Outcome outcome, std::optional<Errc> cause = {}, std::string text = "") {
  Receipt r;
  r.id = "0000001";
  r.connector = "hub";
  r.link = "isp";
  r.size = 100;
  r.recipients = {{"bob@example.com", outcome, 0, "", std::move(text)}};
  r.cause = cause;
  return r;
}

std::optional<ExitStatus> judged(std::vector<Receipt> receipts, std::optional<Errc> ended_by = {}) {
  FlushTally tally;
  for (const Receipt& r : receipts) tally.add(r);
  if (ended_by) tally.ended_by(*ended_by);
  const auto error = tally.judgement();
  return error ? std::optional(exit_status(error->code)) : std::nullopt;
}

TEST_CASE("the worst recipient is the message's outcome") {
  Receipt r = receipt(Outcome::sent);
  CHECK(r.outcome() == Outcome::sent);
  r.recipients.push_back({"c@example.com", Outcome::refused, 550, "5.1.1", "no such user"});
  CHECK(r.outcome() == Outcome::refused);
  CHECK_FALSE(r.left());
  r.recipients.push_back({"d@example.com", Outcome::deferred, 451, "", "later"});
  CHECK(r.outcome() == Outcome::deferred);
  CHECK(r.left());
  r.recipients.push_back({"e@example.com", Outcome::in_doubt, 0, "", ""});
  CHECK(r.outcome() == Outcome::in_doubt);
}

TEST_CASE("statuses in the order of judgement: 124, 69, 75, 65, 0") {
  using O = Outcome;
  const auto unreachable = receipt(O::not_tried, Errc::next_hop_unreachable);
  CHECK_FALSE(judged({}));
  CHECK_FALSE(judged({receipt(O::sent), receipt(O::sent)}));
  CHECK_FALSE(judged({receipt(O::sent)}, Errc::deadline));
  CHECK(judged({receipt(O::sent), receipt(O::refused)}) == ExitStatus::data);
  CHECK(judged({receipt(O::deferred), receipt(O::refused)}) == ExitStatus::temporary);
  CHECK(judged({receipt(O::in_doubt)}) == ExitStatus::temporary);
  CHECK(judged({unreachable, receipt(O::sent), receipt(O::refused)}) == ExitStatus::unavailable);
  CHECK(judged({unreachable, receipt(O::deferred)}) == ExitStatus::temporary);
  CHECK(judged({receipt(O::not_tried, Errc::link_down)}) == ExitStatus::temporary);
  CHECK(judged({unreachable}, Errc::deadline) == ExitStatus::deadline);
  CHECK(judged({receipt(O::deferred)}, Errc::interrupted) == ExitStatus::temporary);
}

TEST_CASE("the verdict is one line that says what and when again") {
  FlushTally tally;
  tally.add(receipt(Outcome::sent));
  Receipt deferred = receipt(Outcome::deferred);
  deferred.recipients[0].code = 451;
  deferred.recipients[0].text = "try later";
  deferred.next_attempt = WallTime(Duration(1'800'000'000'000));
  tally.add(deferred);
  CHECK(tally.judgement()->message() == "1 of 2 messages left: 451 try later; due again at 2027-01-15T08:00:00Z");
}

TEST_CASE("the verdict's reason is that of a recipient who is left, or else refused") {
  Receipt mixed = receipt(Outcome::sent, {}, "queued as 1");
  mixed.recipients.push_back({"a@example.com", Outcome::refused, 550, "5.1.1", "no such user"});
  FlushTally refused;
  refused.add(mixed);
  CHECK(refused.judgement()->message() == "1 of 1 message refused for good: 550 no such user");
  mixed.recipients.push_back({"b@example.com", Outcome::deferred, 451, "4.7.1", "greylisted"});
  mixed.next_attempt = WallTime(Duration(1'800'000'000'000));
  FlushTally left;
  left.add(mixed);
  CHECK(left.judgement()->message() == "1 of 1 message left: 451 greylisted; due again at 2027-01-15T08:00:00Z");
}

TEST_CASE("the verdict names the reason that most have, and what lets held ones go") {
  FlushTally tally;
  for (const char* why : {"no connector serves x", "link 'isp' is down", "link 'isp' is down"}) tally.add(receipt(Outcome::not_tried, {}, why));
  CHECK(tally.judgement()->message() == "3 of 3 messages left: link 'isp' is down; tried again by the next flush");
  FlushTally held;
  Receipt one = receipt(Outcome::not_tried);
  one.reason = "held";
  held.add(one);
  held.add(receipt(Outcome::deferred, {}, "held"));
  held.leave_out_held(3);
  CHECK(held.judgement()->message() == "2 of 2 messages left: held; mtaq release lets it go");
  CHECK(held.total() == 2);
}

TEST_CASE("a receipt survives the way through the spool") {
  Receipt r = receipt(Outcome::sent);
  r.message_id = "<x@y>";
  r.recipients.push_back({"c@example.com", Outcome::deferred, 451, "", "later"});
  r.next_attempt = WallTime(Duration(1'800'000'000'000));
  r.cause = Errc::line_dropped;
  r.reason = "why";
  const auto back = receipt_from_json(to_json(r).dump());
  REQUIRE(back);
  CHECK(to_json(*back).dump() == to_json(r).dump());
  CHECK_FALSE(receipt_from_json("{}"));
  CHECK_FALSE(receipt_from_json("nonsense"));
}

TEST_CASE("rests grow and are bounded") {
  CHECK(retry_delay(0) == Duration(300'000));
  CHECK(retry_delay(1) == Duration(300'000));
  CHECK(retry_delay(2) == Duration(600'000));
  CHECK(retry_delay(1000) == Duration(4 * 3'600'000));
}

TEST_CASE("a message that goes to two peers has one receipt") {
  Receipt receipt{"0000001", "lan", "", 100, "", {{"a@lan.example", Outcome::sent, 250, "", ""}}, {}, {}, ""};
  merge(receipt, {"0000001", "hub", "isp", 100, "", {{"b@far.example", Outcome::not_tried, 0, "", "refused"}}, {}, Errc::next_hop_unreachable, ""});
  CHECK(receipt.recipients.size() == 2);
  CHECK(receipt.outcome() == Outcome::not_tried);
  CHECK(receipt.cause == Errc::next_hop_unreachable);
  CHECK(receipt.connector == "lan");
  // Left for two reasons: neither is the one.
  merge(receipt, {"0000001", "", "", 100, "", {{"c@nowhere.example", Outcome::not_tried, 0, "", "no connector"}}, {}, {}, ""});
  CHECK_FALSE(receipt.cause);
  FlushTally tally;
  tally.add(receipt);
  CHECK(tally.judgement()->code == Errc::messages_left);
}

}  // namespace
}  // namespace longline::mail
