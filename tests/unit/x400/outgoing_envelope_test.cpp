// SPDX-License-Identifier: MIT
#include "x400/outgoing_envelope.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::x400;

namespace {

const OurMta kOurs{{"WW", " ", ""}, "HUB"};
const AddressMapping kSiteOfSender{"WW", " ", "", "site7.example"};

OutgoingMail mail_of(std::vector<std::string> recipients) {
  OutgoingMail mail;
  mail.id = "0000042";
  mail.arrived = *parse_iso8601("2026-11-22T23:10:51Z");
  mail.sender = "jo@site7.example";
  mail.recipients = std::move(recipients);
  return mail;
}

}  // namespace

TEST_CASE("an envelope from a message of the queue") {
  OutgoingMail mail = mail_of({"ann@hub.example", "gr\xC3\xBC@hub.example", "bob@hub.example"});
  mail.priority = 6;
  const auto out = make_envelope(mail, kOurs, kSiteOfSender);
  REQUIRE(out);
  const MessageEnvelope& envelope = out->envelope;
  CHECK(envelope.id == MtsId{{"WW", " ", ""}, "0000042.261122231051.HUB"});
  CHECK(envelope.priority == P1Priority::urgent);
  CHECK(envelope.content_id == "0000042");
  REQUIRE(envelope.recipients.size() == 2);
  CHECK(envelope.recipients[1].number == 2);
  CHECK(out->recipients == std::vector<std::string>{"ann@hub.example", "bob@hub.example"});
  REQUIRE(out->refused.size() == 1);
  CHECK(out->refused[0].address == "gr\xC3\xBC@hub.example");
  CHECK(out->refused[0].outcome == mail::Outcome::refused);
  CHECK(out->refused[0].enhanced == "5.1.3");
  CHECK(envelope.trace.size() == 1);
  CHECK(envelope.internal_trace.at(0).mta == "HUB");
  // A transfer that goes on must find the same bytes.
  CHECK(message_prefix(envelope, 5) == message_prefix(make_envelope(mail, kOurs, kSiteOfSender)->envelope, 5));
  mail.sender = "\xC3\xBC@site7.example";
  CHECK(make_envelope(mail, kOurs, kSiteOfSender).error().code == Errc::refused);
}

TEST_CASE("report requests are the wishes of RFC 3461") {
  const auto requests = [](std::string_view notify, std::string_view sender) {
    OutgoingMail mail = mail_of({"ann@hub.example"});
    mail.sender = sender;
    if (!notify.empty()) mail.dsn.recipients["ann@hub.example"].notify = notify;
    const auto out = make_envelope(mail, kOurs, kSiteOfSender);
    REQUIRE(out);
    return std::pair(out->envelope.recipients.at(0).originator_report, out->envelope.recipients.at(0).mta_report);
  };
  using R = ReportRequest;
  CHECK(requests("", "jo@site7.example") == std::pair(R::non_delivery, R::non_delivery));
  CHECK(requests("FAILURE,DELAY", "jo@site7.example") == std::pair(R::non_delivery, R::non_delivery));
  CHECK(requests("SUCCESS,FAILURE", "jo@site7.example") == std::pair(R::report, R::report));
  CHECK(requests("NEVER", "jo@site7.example") == std::pair(R::none, R::non_delivery));
  CHECK(requests("SUCCESS", "") == std::pair(R::none, R::non_delivery));
}

TEST_CASE("a content is asked back only where it is small") {
  OutgoingMail mail = mail_of({"ann@hub.example"});
  const auto asked = [&] { return make_envelope(mail, kOurs, kSiteOfSender)->envelope.return_content; };
  CHECK(!asked());
  mail.dsn.ret = "FULL";
  CHECK(asked());
  mail.size = 50'001;
  CHECK(!asked());
}

TEST_CASE("priorities are the three classes") {
  CHECK(to_p1_priority(9) == P1Priority::urgent);
  CHECK(to_p1_priority(3) == P1Priority::normal);
  CHECK(to_p1_priority(-4) == P1Priority::non_urgent);
  for (const int priority : {mail::kUrgent, mail::kNormal, mail::kLow}) CHECK(to_queue_priority(to_p1_priority(priority)) == priority);
}

TEST_CASE("local identifiers hold the queue's") {
  const WallTime now = *parse_iso8601("2026-11-22T23:10:51Z");
  CHECK(make_local_id("0000042", now, std::string(32, 'M')).size() == 32);
  CHECK(queue_id_of(make_local_id("0000042", now, "HUB")) == "0000042");
  CHECK(queue_id_of("not ours").empty());
  CHECK(queue_id_of("").empty());
}
