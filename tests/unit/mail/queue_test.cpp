// SPDX-License-Identifier: MIT
#include "mail/queue.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

Recipient recipient(RecipientState state, std::optional<WallTime> next = {}) {
  Recipient r;
  r.address = "a@example.com";
  r.state = state;
  r.next_attempt = next;
  return r;
}

TEST_CASE("ids are short, sort as their numbers do, and survive people") {
  CHECK(format_id(0) == "0000000");
  CHECK(format_id(31) == "000000z");
  CHECK(format_id(32) == "0000010");
  std::string before;
  for (std::int64_t n = 1; n < 30'000'000'000; n = n * 3 + 7) {
    const std::string id = format_id(n);
    CHECK(id.size() == 7);
    CHECK(before < id);
    CHECK(parse_id(id) == n);
    before = id;
  }
  CHECK(parse_id("00000OL") == parse_id("0000001"));
  CHECK(parse_id("00000O1") == 1);
  for (const char* bad : {"", "1", "0000", "00000000", "000000u", "000 001", "00000-1"}) CHECK(!parse_id(bad));
}

TEST_CASE("a message is what its recipients are") {
  using R = RecipientState;
  CHECK(message_state(false, false, {recipient(R::waiting)}) == MessageState::ready);
  CHECK(message_state(false, false, {recipient(R::deferred), recipient(R::delivered)}) == MessageState::deferred);
  CHECK(message_state(false, false, {recipient(R::deferred), recipient(R::waiting)}) == MessageState::ready);
  CHECK(message_state(false, false, {recipient(R::in_doubt), recipient(R::waiting)}) == MessageState::in_doubt);
  CHECK(message_state(true, false, {recipient(R::in_doubt)}) == MessageState::held);
  CHECK(message_state(false, true, {recipient(R::in_doubt)}) == MessageState::sending);
}

TEST_CASE("a deferred recipient is due at its time, or when that time cannot be right") {
  const WallTime now(Duration(1'800'000'000'000));
  QueuedMessage message;
  CHECK(is_due(message, recipient(RecipientState::waiting), now));
  CHECK(is_due(message, recipient(RecipientState::in_doubt), now));
  CHECK_FALSE(is_due(message, recipient(RecipientState::delivered), now));
  CHECK_FALSE(is_due(message, recipient(RecipientState::refused), now));
  CHECK_FALSE(is_due(message, recipient(RecipientState::deferred, now + Duration(60'000)), now));
  CHECK(is_due(message, recipient(RecipientState::deferred, now), now));
  CHECK(is_due(message, recipient(RecipientState::deferred, now + Duration(1000LL * 86'400'000)), now));
  message.state = MessageState::held;
  CHECK_FALSE(is_due(message, recipient(RecipientState::waiting), now));
}

TEST_CASE("the earliest deferral counts") {
  QueuedMessage message;
  CHECK_FALSE(message.next_attempt());
  message.recipients = {recipient(RecipientState::deferred, WallTime(Duration(2000))), recipient(RecipientState::waiting),
                        recipient(RecipientState::deferred, WallTime(Duration(1000)))};
  CHECK(message.next_attempt() == WallTime(Duration(1000)));
}

TEST_CASE("priorities have names and numbers") {
  CHECK(parse_priority("urgent").value() == kUrgent);
  CHECK(parse_priority("low").value() == kLow);
  CHECK(parse_priority("-9").value() == -9);
  CHECK(parse_priority("9").value() == 9);
  for (const char* bad : {"", "10", "-10", "urgently", "1.5"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(parse_priority(bad));
    CHECK(parse_priority(bad).error().code == Errc::usage);
  }
  CHECK(priority_name(9) == "urgent");
  CHECK(priority_name(3) == "normal");
  CHECK(priority_name(-4) == "low");
}

TEST_CASE("reasons fall into classes") {
  CHECK(classify_reason("") == ReasonClass::none);
  CHECK(classify_reason("451 4.7.1 Greylisting in action") == ReasonClass::greylist);
  CHECK(classify_reason("552 5.3.4 Message too big") == ReasonClass::size);
  CHECK(classify_reason("550 5.7.1 relaying denied") == ReasonClass::policy);
  CHECK(classify_reason("535 5.7.8 authentication failed") == ReasonClass::auth);
  CHECK(classify_reason("mail.example.com: Name or service not known") == ReasonClass::dns);
  CHECK(classify_reason("connector hub: 192.0.2.1 port 25: Connection refused") == ReasonClass::link);
  CHECK(classify_reason("sent over the line to its last byte, and no reply was read") == ReasonClass::link);
  CHECK(classify_reason("450 mailbox busy") == ReasonClass::other);
}

TEST_CASE("what asks to come back is greylisting") {
  for (const char* reason :
       {"451 4.7.1 <bob@far.example>: please try again in 5 minutes", "451 4.7.1 Service unavailable", "450 4.7.1 Come back later.", "421 4.7.1 Too early",
        "450 4.2.0 <bob@far.example>: Recipient address rejected: Greylisted", "451 Please try again later", "450 Temporarily deferred, retry in 300 s",
        "450 4.7.1 <bob@far.example>: Recipient address rejected: come back in 00:04:59", "connector hub: 451-4.7.1 Graylisting", "451 4.7.1: grey-listed"}) {
    CAPTURE(reason);
    CHECK(classify_reason(reason) == ReasonClass::greylist);
  }
  CHECK(classify_reason("450 4.7.1 Client host rejected: cannot find your hostname") == ReasonClass::policy);
  CHECK(classify_reason("450 4.7.1 Relay access denied") == ReasonClass::policy);
  CHECK(classify_reason("451 4.7.12 not here") == ReasonClass::policy);
  CHECK(classify_reason("451 4.7.0 Temporary server error") == ReasonClass::policy);
  CHECK(classify_reason("550 5.7.1 blocked, do not try again") == ReasonClass::policy);
  CHECK(classify_reason("454 4.7.0 TLS not available, try again later") == ReasonClass::tls);
  CHECK(classify_reason("450 4.2.2 mailbox full, try again later") == ReasonClass::other);
  CHECK(classify_reason("451 4.3.0 lookup failed, try again later") == ReasonClass::other);
  CHECK(classify_reason("452 4.3.4 too large for now, try again later") == ReasonClass::size);
  CHECK(classify_reason("452 4.3.1 disk full, try again later") == ReasonClass::other);
  CHECK(classify_reason("552 gone for 1451 days, try again later") == ReasonClass::other);
}

}  // namespace
}  // namespace longline::mail
