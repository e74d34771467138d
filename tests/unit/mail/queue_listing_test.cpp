// SPDX-License-Identifier: MIT
#include "mail/queue_listing.hpp"

#include <doctest/doctest.h>

#include "base/json.hpp"

namespace longline::mail {
namespace {

const WallTime kListedAt(Duration(1'800'000'000'000));

config::Config configuration() {
  config::Config config;
  config::Connector hub;
  hub.name = "hub";
  hub.domains = {"example.com"};
  hub.link = "isp";
  hub.host = "mail.example.com";
  hub.expire = Duration(3'600'000);
  config.connectors = {hub};
  return config;
}

QueuedMessage message() {
  QueuedMessage m;
  m.id = "0000abc";
  m.arrived = kListedAt;
  m.size = 2200;
  m.sender = "alice@site7.example";
  m.message_id = "<1@site7>";
  m.subject = "caf\xc3\xa9 \x1b[31m";
  Recipient bob;
  bob.address = "bob@example.com";
  m.recipients = {bob};
  return m;
}

TEST_CASE("the JSON has the members of the design, null where nothing applies") {
  const config::Config config = configuration();
  ConnectorChoice choice(config);
  CHECK(json_line(message(), choice) ==
        R"({"id":"0000abc","queue":"spool","state":"ready","arrived":"2027-01-15T08:00:00Z","size":2200,)"
        R"("sender":"alice@site7.example","recipients":[{"address":"bob@example.com","state":"ready","reason":null}],)"
        R"("connector":"hub","link":"isp","next_hop":"mail.example.com:25","priority":"normal","attempts":0,)"
        R"("next_attempt":null,"expires":"2027-01-15T09:00:00Z","reason":null,"reason_class":null,)"
        R"("message_id":"<1@site7>","subject":"café \u001b[31m"})");
}

TEST_CASE("a message that no connector serves says so") {
  const config::Config config = configuration();
  ConnectorChoice choice(config);
  QueuedMessage m = message();
  m.recipients[0].address = "bob@nowhere.example";
  const JsonObject json = parse_json_object(json_line(m, choice)).value();
  CHECK(json.string("reason") == "no connector serves nowhere.example");
  CHECK_FALSE(json.string("connector"));
  CHECK_FALSE(json.string("expires"));
}

TEST_CASE("what another mail system does not tell is null, and it needs no connector of ours") {
  const config::Config config = configuration();
  ConnectorChoice choice(config);
  QueuedMessage foreign = message();
  foreign.queue = "postfix";
  foreign.foreign = true;
  foreign.message_id = foreign.subject = "";
  foreign.recipients[0].address = "carol@other.example";
  CHECK(json_line(foreign, choice) ==
        R"({"id":"0000abc","queue":"postfix","state":"ready","arrived":"2027-01-15T08:00:00Z","size":2200,"sender":"alice@site7.example",)"
        R"("recipients":[{"address":"carol@other.example","state":"ready","reason":null}],"connector":null,"link":null,"next_hop":null,)"
        R"("priority":null,"attempts":null,"next_attempt":null,"expires":null,"reason":null,"reason_class":null,"message_id":null,"subject":null})");
  foreign.recipients[0].address = "bob@example.com";
  CHECK(parse_json_object(json_line(foreign, choice))->string("link") == "isp");
  CHECK(describe(foreign, choice, kListedAt).find("attempts") == std::string::npos);
}

TEST_CASE("people see nothing that a terminal would obey") {
  const config::Config config = configuration();
  ConnectorChoice choice(config);
  QueuedMessage m = message();
  m.sender = "\x1b]0;x\x07@evil.example";
  const std::string text = listing_lines(m, choice, kListedAt) + describe(m, choice, kListedAt);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(printable_text("a\x1b[1m\r\nb\n") == "a\\x1B[1m\nb\n");
}

TEST_CASE("the line shows the reason and the next attempt") {
  const config::Config config = configuration();
  ConnectorChoice choice(config);
  QueuedMessage m = message();
  m.state = MessageState::deferred;
  m.recipients[0].state = RecipientState::deferred;
  m.recipients[0].reason = "451 try later";
  m.recipients[0].next_attempt = kListedAt + Duration(60'000);
  CHECK(listing_lines(m, choice, kListedAt + Duration(120'000)) ==
        "0000abc  deferred   2m   2.2 kB  alice@site7.example          bob@example.com\n"
        "         451 try later; next attempt 2027-01-15T08:01:00Z\n");
}

TEST_CASE("of a transfer that was cut the bytes that are there are shown, and of no other message") {
  const config::Config config = configuration();
  ConnectorChoice choice(config);
  QueuedMessage m = message();
  CHECK(json_line(m, choice).find("bytes_done") == std::string::npos);
  m.bytes_done = 1024;
  CHECK(parse_json_object(json_line(m, choice))->integer("bytes_done") == 1024);
  CHECK(listing_lines(m, choice, kListedAt).ends_with("\n         1.0 kB of 2.2 kB have arrived there\n"));
  CHECK(describe(m, choice, kListedAt).find("done         1024 bytes\n") != std::string::npos);
  m.bytes_done = 0;
  CHECK(parse_json_object(json_line(m, choice))->integer("bytes_done") == 0);
  m.bytes_done = 2300;   // with the envelope
  CHECK(listing_lines(m, choice, kListedAt).find("2.2 kB of 2.2 kB") != std::string::npos);
}

TEST_CASE("ages are short") {
  CHECK(format_age(Duration(-5)) == "0s");
  CHECK(format_age(Duration(59'999)) == "59s");
  CHECK(format_age(Duration(3'600'000)) == "1h");
  CHECK(format_age(Duration(49 * 3'600'000)) == "2d");
}

}  // namespace
}  // namespace longline::mail
