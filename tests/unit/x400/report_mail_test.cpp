// SPDX-License-Identifier: MIT
#include "x400/report_mail.hpp"

#include <doctest/doctest.h>

#include "x400/non_delivery.hpp"
#include "x400/outgoing_envelope.hpp"
#include "x400/p1_reader.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

const OurMta kSite{{"WW", " ", ""}, "SITE7"};
const OurMta kHub{{"WW", " ", ""}, "HUB"};
const AddressMapping kSiteOfReports{"WW", " ", "", "site7.example"};
const WallTime kNow = *parse_iso8601("2026-11-22T23:10:51Z");

MessageEnvelope envelope_from(std::string_view sender, std::string_view notify) {
  OutgoingMail mail;
  mail.id = "0000042";
  mail.arrived = kNow;
  mail.sender = sender;
  mail.recipients = {"ann@hub.example", "bob@hub.example"};
  if (!notify.empty()) {
    for (const std::string& address : mail.recipients) mail.dsn.recipients[address].notify = notify;
  }
  return make_envelope(mail, kSite, kSiteOfReports)->envelope;
}

std::vector<DeliveryOutcome> outcomes() { return {{1, true, kNow, "", ""}, {2, false, {}, "5.1.1", "no such user: b_b"}}; }

/// As it comes back over the line.
std::optional<Report> report_on(std::string_view sender, std::string_view notify) {
  const auto report = make_report(envelope_from(sender, notify), outcomes(), kHub, {kHub.domain, "R1"}, kNow);
  if (!report) return std::nullopt;
  const auto read = read_transfer(encode_report(*report));
  REQUIRE(read);
  REQUIRE(read->report);
  CHECK(*read->report == *report);
  return read->report;
}

ReportNews news(const Report& report) {
  auto out = read_news(report, kSiteOfReports, "HUB", "site7.example", "u", kNow);
  REQUIRE(out);
  return std::move(*out);
}

}  // namespace

TEST_CASE("a failure comes home as a notification for the sender") {
  const auto report = report_on("jo@site7.example", "");
  REQUIRE(report);
  REQUIRE(report->recipients.size() == 1);
  CHECK(report->recipients[0].reason == 1);
  CHECK(report->recipients[0].diagnostic == 0);
  CHECK(report->recipients[0].supplementary == "no such user: b?b");
  const ReportNews told = news(*report);
  CHECK(told.queue_id == "0000042");
  CHECK(told.sender == "jo@site7.example");
  REQUIRE(told.results.size() == 1);
  CHECK(told.results[0].address == "bob@hub.example");
  CHECK(told.results[0].outcome == mail::Outcome::refused);
  CHECK(told.results[0].enhanced == "5.1.1");
  CHECK(told.results[0].text == "unable to transfer: the O/R name is not known (no such user: b?b)");
  REQUIRE(told.notifications.size() == 1);
  const auto dsn = mail::make_dsn(told.notifications[0]);
  REQUIRE(dsn);
  CHECK(dsn->content.find("Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; HUB\r\n") != std::string::npos);
  CHECK(dsn->content.find("<bob@hub.example>: HUB says: unable to transfer") != std::string::npos);
}

TEST_CASE("deliveries are told where they were asked for") {
  const auto report = report_on("jo@site7.example", "SUCCESS,FAILURE");
  REQUIRE(report);
  CHECK(report->recipients.size() == 2);
  const ReportNews told = news(*report);
  REQUIRE(told.notifications.size() == 2);
  CHECK(told.notifications[1].action == mail::DsnAction::delivered);
  CHECK(told.notifications[1].failed.at(0).address == "ann@hub.example");
  CHECK(told.results[0].outcome == mail::Outcome::sent);
  CHECK(told.notifications[0].unique != told.notifications[1].unique);
}

TEST_CASE("who wants to hear nothing hears nothing") {
  const auto never = report_on("jo@site7.example", "NEVER");
  REQUIRE(never);
  CHECK(news(*never).notifications.empty());
  CHECK(news(*never).results.size() == 1);
  CHECK(!report_on("", ""));
}

TEST_CASE("only the copy's own recipients are reported") {
  MessageEnvelope subject = envelope_from("jo@site7.example", "");
  subject.recipients[1].responsible = false;
  CHECK(!make_report(subject, outcomes(), kHub, {}, kNow));
  CHECK(!make_report(subject, {{9, false, {}, "", ""}}, kHub, {}, kNow));
}

TEST_CASE("a report by a foreign system, about a foreign name, with hostile words") {
  Report report = *report_on("jo@site7.example", "");
  report.recipients[0].intended.reset();
  report.recipients[0].actual = *parse_or_name("/S=Smith/O=Acme/PRMD=acme/ADMD=vianet/C=DE/");
  report.recipients[0].supplementary = "\x1b[2J" + std::string(1000, 'x');
  report.recipients[0].diagnostic = 99;
  report.returned_content = "Subject: secret\r\n\r\nbody\r\n";
  ReportNews told = news(report);
  CHECK(told.results[0].address == "/S=Smith/O=Acme/PRMD=acme/ADMD=vianet/C=DE/@site7.example");
  CHECK(told.results[0].text.starts_with("unable to transfer: diagnostic 99 (\\x1B[2Jxxx"));
  CHECK(told.results[0].text.size() <= 400);
  CHECK(told.notifications.at(0).original_content == "Subject: secret\r\n\r\nbody\r\n");
  report.content_type = ContentType{22, ""};
  CHECK(news(report).notifications.at(0).original_content.empty());
  report.destination.domain_attributes[0].value = "x";
  CHECK(read_news(report, kSiteOfReports, "HUB", "h", "u", kNow).error().code == Errc::malformed);
}

TEST_CASE("codes have words and a status") {
  CHECK(non_delivery_text({1, 3}) == "unable to transfer: a loop was detected");
  CHECK(non_delivery_text({0, std::nullopt}) == "transfer failure");
  CHECK(non_delivery_text({77, 88}) == "reason 77: diagnostic 88");
  CHECK(enhanced_status({5, std::nullopt}) == "5.7.1");
  CHECK(enhanced_status({-1, -1}) == "5.0.0");
  for (const char* status : {"5.1.1", "5.4.6", "5.4.7", "5.2.3", "5.5.3", "5.3.3"}) CHECK(enhanced_status(from_enhanced_status(status)) == status);
  CHECK(from_enhanced_status("4.4.7") == NonDelivery{1, 5});
  CHECK(from_enhanced_status("") == NonDelivery{});
  CHECK(from_enhanced_status("junk") == NonDelivery{});
}
