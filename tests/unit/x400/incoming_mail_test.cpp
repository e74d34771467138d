// SPDX-License-Identifier: MIT
#include "x400/incoming_mail.hpp"

#include <doctest/doctest.h>

#include "x400/outgoing_envelope.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

const OurMta kA{{"WW", " ", ""}, "A"};
const OurMta kB{{"WW", " ", ""}, "B"};
const AddressMapping kGatewayOfWorld{"WW", " ", "", "gateway.example"};

MessageEnvelope envelope(OutgoingMail mail = {}) {
  if (mail.id.empty()) mail.id = "0000042";
  if (mail.recipients.empty()) mail.recipients = {"bob@b.example", "\"two words\"@b.example"};
  const auto made = make_envelope(mail, kA, kGatewayOfWorld);
  REQUIRE(made);
  return made->envelope;
}

std::vector<std::string> mailboxes(const IncomingMail& mail) {
  std::vector<std::string> out;
  for (const auto& r : mail.recipients) out.push_back(r.mailbox);
  return out;
}

}  // namespace

TEST_CASE("what a peer of ours sends is read as it was queued") {
  OutgoingMail mail;
  mail.sender = "alice@a.example";
  mail.priority = mail::kUrgent;
  mail.dsn.recipients["bob@b.example"].notify = "NEVER";
  mail.dsn.ret = "FULL";
  const auto read = read_incoming(envelope(mail), kB, kGatewayOfWorld);
  REQUIRE(read);
  CHECK(read->sender == "alice@a.example");
  CHECK(mailboxes(*read) == std::vector<std::string>{"bob@b.example", "\"two words\"@b.example"});
  CHECK(read->recipients[1].number == 2);
  CHECK(read->priority == mail::kUrgent);
  CHECK(read->wishes.of("bob@b.example").notify == "NEVER");
  CHECK(read->wishes.of("\"two words\"@b.example").notify == "");
  CHECK(read->wishes.ret == "FULL");
}

TEST_CASE("the null sender stays null, and wants to hear nothing") {
  const auto read = read_incoming(envelope(), kB, kGatewayOfWorld);
  REQUIRE(read);
  CHECK(read->sender == "");
  CHECK(read->wishes.of("bob@b.example").notify == "NEVER");
}

TEST_CASE("copies for others, people without a mailbox, and nobody at all") {
  MessageEnvelope two = envelope();
  two.recipients[0].responsible = false;
  CHECK(mailboxes(read_incoming(two, kB, kGatewayOfWorld).value()) == std::vector<std::string>{"\"two words\"@b.example"});
  two.recipients[1].name.domain_attributes[0].value = "no address";
  const auto wrong = read_incoming(two, kB, kGatewayOfWorld);
  REQUIRE(wrong);
  CHECK(wrong->recipients[0].mailbox == "");
  CHECK_FALSE(wrong->recipients[0].why.empty());
  two.recipients[1].responsible = false;
  CHECK(read_incoming(two, kB, kGatewayOfWorld).error().code == Errc::refused);
  MessageEnvelope nameless = envelope();
  nameless.originator.domain_attributes = {{"RFC-822", "\x1b[31m"}};
  const auto bad = read_incoming(nameless, kB, kGatewayOfWorld);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == Errc::malformed);
  CHECK(bad.error().what.find('\x1b') == std::string::npos);
}

TEST_CASE("loops, and what must be treated in a way that we do not know") {
  const auto loop = read_incoming(envelope(), kA, kGatewayOfWorld);
  REQUIRE_FALSE(loop);
  CHECK(loop.error().what.starts_with("mail loop"));
  MessageEnvelope critical = envelope();
  critical.extensions.push_back({99, "", {}, ""});
  CHECK(read_incoming(critical, kB, kGatewayOfWorld));
  critical.extensions[0].criticality.set(1);
  CHECK(read_incoming(critical, kB, kGatewayOfWorld).error().code == Errc::refused);
  MessageEnvelope one = envelope();
  one.recipients[0].extensions.push_back({99, "", {}, ""});
  one.recipients[0].extensions[0].criticality.set(2);
  const auto read = read_incoming(one, kB, kGatewayOfWorld);
  REQUIRE(read);
  CHECK(read->recipients[0].mailbox == "");
  CHECK(read->recipients[1].mailbox == "\"two words\"@b.example");
}

TEST_CASE("stored form: lines that end otherwise are mended, and nothing else is touched") {
  const std::string clean = "a\r\nb\rc\r\n\r\n.\r\n";
  CHECK(in_stored_form(clean) == clean);
  CHECK(in_stored_form("") == "\r\n");
  CHECK(in_stored_form("a") == "a\r\n");
  CHECK(in_stored_form("a\nb\r\nc\n") == "a\r\nb\r\nc\r\n");
  CHECK(in_stored_form("\n\n") == "\r\n\r\n");
  CHECK(in_stored_form("a\r") == "a\r\r\n");
  CHECK(in_stored_form(std::string("\0\n", 2)) == std::string("\0\r\n", 3));
}

TEST_CASE("what we are: the connector's name, or the host's, as long as one may be") {
  config::Connector connector;
  connector.x400.prmd = "acme";
  CHECK(our_mta(connector, "site7.example").name == "site7.example");
  CHECK(our_mta(connector, std::string(40, 'x')).name == std::string(32, 'x'));
  connector.x400.mta_name = "SITE7";
  CHECK(our_mta(connector, "site7.example").name == "SITE7");
  CHECK(our_mta(connector, "h").domain == GlobalDomain{"WW", " ", "acme"});
  CHECK(address_mapping(connector, "Site7.Example").gateway_domain == "site7.example");
}
