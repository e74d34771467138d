// SPDX-License-Identifier: MIT
#include "mail/exim_listing.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

std::vector<QueuedMessage> parse(std::string_view text, std::size_t piece = std::string_view::npos) {
  std::vector<QueuedMessage> out;
  EximListing listing([&](QueuedMessage&& message) {
    out.push_back(std::move(message));
    return true;
  });
  for (std::size_t i = 0; i < text.size(); i += std::min(piece, text.size())) listing.feed(text.substr(i, piece));
  listing.finish();
  return out;
}

constexpr std::string_view kListing =
    " 0m   309 1xWOD5-0006Gk-15 <alice@here.example>\n"
    "          bob@far.example\n"
    "\n"
    "25h  1.7K 1xWO1i-0001ck-2c <> *** frozen ***\n"
    "        D bob@here.example\n"
    "          carol@here.example\n"
    "\n"
    " 4d   23M 1rTgXf-0000000ABCD-12ab <\"x> (y)\"@here.example> (joe) *** frozen ***\n"
    "          \"a b<c>\"@far.example\n"
    "\n";

TEST_CASE("exim -bp: every message, at every split") {
  for (const std::size_t piece : {1, 2, 3, 7, 10'000}) {
    const auto all = parse(kListing, piece);
    REQUIRE(all.size() == 3);
    CHECK(all[0].id == "1xWOD5-0006Gk-15");
    CHECK(all[0].queue == "exim");
    CHECK(all[0].foreign);
    CHECK(all[0].size == 309);
    CHECK(all[0].sender == "alice@here.example");
    CHECK(all[0].state == MessageState::ready);
    CHECK(format_iso8601(all[0].arrived) == "2026-11-26T01:23:39Z");
    REQUIRE(all[0].recipients.size() == 1);
    CHECK(all[0].recipients[0].address == "bob@far.example");
    CHECK(all[1].size == 1741);
    CHECK(all[1].sender.empty());
    CHECK(all[1].state == MessageState::held);
    REQUIRE(all[1].recipients.size() == 2);
    CHECK(all[1].recipients[0].state == RecipientState::delivered);
    CHECK(all[1].recipients[1].state == RecipientState::waiting);
    CHECK(all[2].id == "1rTgXf-0000000ABCD-12ab");
    CHECK(all[2].size == 23 * 1024 * 1024);
    CHECK(all[2].sender == "\"x> (y)\"@here.example");
    CHECK(all[2].recipients[0].address == "\"a b<c>\"@far.example");
  }
}

TEST_CASE("exim -bp: damaged files and lines that say nothing") {
  const auto all = parse(
      "garbage\n\n 3m 1.2K not-an-id <a@b>\n\n"
      "         1xWOD5-0006Gk-15\n    *** spool format error: size=12 ***\n\n"
      " 1h  2.0K 1xWOD5-0006Gk-16 <a@b>\n    *** spool read error: Permission denied *** *** frozen ***\n          c@d\n\n"
      " 1h  2.0K 1xWOD5-0006Gk-17 <a@b>\n          e@f");
  REQUIRE(all.size() == 3);
  CHECK(all[0].id == "1xWOD5-0006Gk-15");
  CHECK(all[0].recipients.empty());
  CHECK(all[1].state == MessageState::held);
  CHECK(all[2].recipients.size() == 1);
  CHECK(parse(std::string(1 << 20, 'x') + "\n").empty());
  CHECK(parse("").empty());
}

TEST_CASE("exim -bp: a visitor that has enough") {
  int visits = 0;
  EximListing listing([&](QueuedMessage&&) { return ++visits < 2; });
  CHECK_FALSE(listing.feed(kListing));
  CHECK_FALSE(listing.finish());
  CHECK(visits == 2);
}

TEST_CASE("Exim's ids") {
  CHECK(is_exim_id("1xWOD5-0006Gk-15"));
  CHECK(is_exim_id("1rTgXf-0000000ABCD-12ab"));
  for (const char* no : {"", "1xWOD5-0006Gk-1", "1xWOD5-0006Gk-155", "1xWOD50-006Gk-15", "-xWOD5-0006Gk-15", "1xWOD5-0006G/-15", "1xWOD5-0006Gk 15"}) {
    CHECK_FALSE(is_exim_id(no));
  }
}

TEST_CASE("Exim's main log") {
  const auto fate = [](const std::string& line) { return parse_exim_log("2026-11-26 01:23:39 " + line); };
  const auto sent = fate("1xWOD5-0006Gk-15 => bob@far.example R=away T=next_hop H=127.0.0.1 [127.0.0.1] C=\"250 OK\"");
  REQUIRE(sent);
  CHECK(sent->id == "1xWOD5-0006Gk-15");
  CHECK(sent->result.outcome == Outcome::sent);
  CHECK(sent->result.address == "bob@far.example");
  CHECK(sent->result.code == 250);
  CHECK(sent->result.text == "OK");
  const auto quoted = fate(R"(1xWOD5-0006Gk-15 => bob@far.example R=away T=next_hop H=h [1] C="250 2.0.0 he said \"yes\" twice" QT=1s)");
  REQUIRE(quoted);
  CHECK(quoted->result.enhanced == "2.0.0");
  CHECK(quoted->result.text == "he said \"yes\" twice");
  CHECK(fate("1xWOD5-0006Gk-15 -> bob <bob@here.example> F=<a@b> R=here T=box")->result.address == "bob@here.example");
  const auto refused = fate("1xWOD5-0006Gk-15 ** nobody@far.example R=away T=next_hop H=h [1]: SMTP error from remote mail server after RCPT "
                            "TO:<nobody@far.example>: 550 no such mailbox");
  REQUIRE(refused);
  CHECK(refused->result.outcome == Outcome::refused);
  CHECK(refused->result.code == 550);
  CHECK(refused->result.text == "no such mailbox");
  CHECK(refused->result.address == "nobody@far.example");
  const auto unrouted = fate("1xWOD5-0006Gk-15 ** x@y.example: Unrouteable address");
  REQUIRE(unrouted);
  CHECK(unrouted->result.address == "x@y.example");
  CHECK(unrouted->result.text == "Unrouteable address");
  const auto deferred = fate("1xWOD5-0006Gk-15 == a b <\"a b\"@far.example> R=away T=next_hop defer (111): Connection refused");
  REQUIRE(deferred);
  CHECK(deferred->result.outcome == Outcome::deferred);
  CHECK(deferred->result.address == "\"a b\"@far.example");
  CHECK(deferred->result.text == "Connection refused");
  CHECK(parse_exim_log("2026-11-26 01:23:39.123 +0000 [77] 1xWOD5-0006Gk-15 => bob@far.example R=r")->result.address == "bob@far.example");
  // Replies of several lines, as ours are written down.
  CHECK(fate(R"(1xWOD5-0006Gk-15 => b@c R=a T=n H=h [1] K C="250- 284 byte chunk, total 284\\n250 OK id=1")")->result.text ==
        "284 byte chunk, total 284 / OK id=1");
  const auto lines = fate(R"(1xWOD5-0006Gk-15 ** b@c R=a T=n H=h [1]: SMTP error from remote mail server after RCPT TO:<b@c>: 550-5.7.1 no\n550 5.7.1 never)");
  CHECK(lines->result.code == 550);
  CHECK(lines->result.enhanced == "5.7.1");
  CHECK(lines->result.text == "no / never");
  CHECK(fate(R"(1xWOD5-0006Gk-15 == b@c R=a T=n defer (-1): C:\new\250 \n25)")->result.text == R"(C:\\new\\250 \\n25)");
  const auto removed = fate("1xWOD5-0006Gk-15 removed by root");
  REQUIRE(removed);
  CHECK(removed->kind == Fate::Kind::removed);
  CHECK(removed->result.address.empty());
  const auto cancelled = fate("1xWOD5-0006Gk-15 cancelled by root");
  REQUIRE(cancelled);
  CHECK(cancelled->kind == Fate::Kind::outcome);
  CHECK(cancelled->result.outcome == Outcome::refused);
  CHECK(cancelled->result.address.empty());
  CHECK(cancelled->result.text == "cancelled by root");
  const auto marked = fate("1xWOD5-0006Gk-15 address <bob@far.example> marked delivered by root");
  REQUIRE(marked);
  CHECK(marked->kind == Fate::Kind::removed);
  CHECK(marked->result.address == "bob@far.example");
  CHECK_FALSE(fate("1xWOD5-0006Gk-15 removed"));
  CHECK_FALSE(fate("1xWOD5-0006Gk-15 address <> marked delivered by root"));
  CHECK_FALSE(fate("1xWOD5-0006Gk-15 Completed"));
  CHECK_FALSE(fate("1xWOD5-0006Gk-15 <= alice@here.example U=root"));
  CHECK_FALSE(fate("Start queue run: pid=1 -qff"));
  CHECK_FALSE(parse_exim_log(""));
  CHECK_FALSE(parse_exim_log("2026-11-26"));
}

TEST_CASE("a message's own log tells why it waits") {
  const auto fate = parse_exim_message_log("2026-11-26 01:11:54 later@far.example R=away T=next_hop defer (-44) H=h [1]: SMTP error from remote mail "
                                           "server after RCPT TO:<later@far.example>: 451 4.7.1 come back later");
  REQUIRE(fate);
  CHECK(fate->result.address == "later@far.example");
  CHECK(fate->result.code == 451);
  CHECK(fate->result.text.ends_with("451 4.7.1 come back later"));
  CHECK_FALSE(parse_exim_message_log("2026-11-26 01:11:54 Received from alice@here.example U=root"));
  CHECK_FALSE(parse_exim_message_log("2026-11-26 01:11:54 H=127.0.0.1 [127.0.0.1] Connection refused"));
}

}  // namespace
}  // namespace longline::mail
