// SPDX-License-Identifier: MIT
#include "mail/due.hpp"

#include <doctest/doctest.h>

#include "unit/zone.hpp"

namespace longline::mail {
namespace {

using Names = std::vector<std::string>;
const WallTime kThursday = utc("2026-11-26T12:00:00Z");   // a Thursday

config::Connector connector(std::string name, std::vector<std::string> domains, std::string link = "", int cost = 10) {
  config::Connector c;
  c.name = std::move(name);
  c.domains = std::move(domains);
  c.link = std::move(link);
  c.cost = cost;
  c.host = c.link.empty() ? "192.0.2.25" : "line";
  return c;
}

config::Link link(std::string name) {
  config::Link l;
  l.name = std::move(name);
  return l;
}

QueuedMessage sized_message_to(std::vector<std::string> addresses, std::int64_t size = 100) {
  QueuedMessage m;
  m.arrived = kThursday - Duration(60'000);
  m.size = size;
  for (std::string& address : addresses) {
    Recipient r;
    r.address = std::move(address);
    m.recipients.push_back(std::move(r));
  }
  return m;
}

struct Bench {
  config::Config config{};
  ConnectorStates states{};
  config::DueTriggers triggers{};
  WallTime now = kThursday;

  std::vector<DueLink> links(const std::vector<QueuedMessage>& messages) const {
    DueReport report(config, states, triggers, now, kUtc);
    for (const QueuedMessage& m : messages) report.add(m);
    return report.links();
  }
  Names due(const std::vector<QueuedMessage>& messages) const {
    Names names;
    for (const DueLink& one : links(messages)) names.push_back(one.link);
    return names;
  }
};

Bench one_hub() {
  Bench bench;
  bench.config.links = {link("isp")};
  bench.config.connectors = {connector("hub", {"*"}, "isp")};
  return bench;
}

// Q230051: one dial-up smart host for everything; then a connection for one domain was added, and the dial-up one never dialled again.
TEST_CASE("Q230051: a connector for one domain does not keep the dial-up connector from dialling") {
  for (const char* host : {"192.0.2.25", "mx"}) {
    CAPTURE(host);
    Bench bench;
    bench.config.links = {link("isp")};
    bench.config.connectors = {connector("smarthost", {"*"}, "isp"), connector("partner", {"partner.example"})};
    bench.config.connectors[1].host = host;
    for (int order = 0; order < 2; ++order) {
      CHECK(bench.due({sized_message_to({"a@world.example"})}) == Names{"isp"});
      CHECK(bench.due({sized_message_to({"a@partner.example"}), sized_message_to({"a@world.example"})}) == Names{"isp"});
      CHECK(bench.due({sized_message_to({"a@partner.example", "b@world.example"})}) == Names{"isp"});
      CHECK(bench.due({sized_message_to({"a@partner.example"})}).empty());
      // The other order of the entries, the LAN connector at a lower cost, and in trouble: the same.
      std::swap(bench.config.connectors[0], bench.config.connectors[1]);
      bench.config.connectors[0].cost = 1;
      for (int i = 0; i < 20; ++i) note_open_failure(bench.states["partner"], bench.config.connectors[0], "refused", kThursday);
    }
  }
}

TEST_CASE("each link is named once, in the order of the configuration") {
  Bench bench;
  bench.config.links = {link("one"), link("two"), link("idle")};
  bench.config.connectors = {connector("b", {"b.example"}, "two"), connector("a", {"a.example"}, "one")};
  CHECK(bench.due({sized_message_to({"x@b.example"}), sized_message_to({"x@a.example", "y@a.example"})}) == Names{"one", "two"});
}

TEST_CASE("what cannot be sent makes no link due") {
  Bench bench = one_hub();
  CHECK(bench.due({sized_message_to({"x@b.example"})}) == Names{"isp"});
  bench.config.connectors[0].max_size = 99;
  CHECK(bench.due({sized_message_to({"x@b.example"})}).empty());
  bench.config.connectors[0].max_size = 100;
  CHECK(bench.due({sized_message_to({"x@b.example"})}) == Names{"isp"});
}

TEST_CASE("a message of three recipients is one message") {
  const Bench bench = one_hub();
  const auto links = bench.links({sized_message_to({"a@b.example", "c@b.example", "d@e.example"}, 70), sized_message_to({"a@b.example"}, 30)});
  REQUIRE(links.size() == 1);
  CHECK(links[0].messages == 2);
  CHECK(links[0].bytes == 100);
  CHECK(links[0].reasons == Names{"hub: 2 messages"});
  CHECK(to_json(links[0]).dump() == R"({"link":"isp","messages":2,"bytes":100,"oldest":"2026-11-26T11:59:00Z","urgent":0,"retrieve":false,)"
                                    R"("reasons":["hub: 2 messages"]})");
}

TEST_CASE("any trigger of a connector suffices, and with triggers one message does not") {
  Bench bench = one_hub();
  config::DueTriggers& due = bench.config.connectors[0].due;
  due.messages = 3;
  due.bytes = 1000;
  due.oldest = Duration(3'600'000);
  due.urgent = true;
  const QueuedMessage small = sized_message_to({"a@b.example"});
  CHECK(bench.due({small, small}).empty());
  CHECK(bench.links({small, small, small})[0].reasons == Names{"hub: 3 messages"});
  CHECK(bench.links({sized_message_to({"a@b.example"}, 1000)})[0].reasons == Names{"hub: 1.0 kB"});
  QueuedMessage old = small;
  old.arrived = kThursday - Duration(3'600'000);
  CHECK(bench.links({old})[0].reasons == Names{"hub: oldest 1h"});
  old.arrived += Duration(1);
  CHECK(bench.due({old}).empty());
  QueuedMessage urgent = small;
  urgent.priority = kUrgent;
  CHECK(bench.links({urgent})[0].reasons == Names{"hub: 1 urgent message"});
  // The command line's replace them, for the link as a whole.
  bench.triggers.messages = 2;
  CHECK(bench.due({urgent}).empty());
  CHECK(bench.links({small, small})[0].reasons == Names{"2 messages"});
}

TEST_CASE("triggers of one connector do not hold another one's mail back") {
  Bench bench = one_hub();
  bench.config.connectors.push_back(connector("other", {"other.example"}, "isp"));
  bench.config.connectors[0].due.messages = 10;
  CHECK(bench.due({sized_message_to({"a@b.example"})}).empty());
  const auto links = bench.links({sized_message_to({"a@b.example"}), sized_message_to({"a@other.example"})});
  REQUIRE(links.size() == 1);
  CHECK(links[0].messages == 2);
  CHECK(links[0].reasons == Names{"other: 1 message"});
}

TEST_CASE("what waits for its next attempt, its interval or its hours makes no link due") {
  Bench bench = one_hub();
  QueuedMessage m = sized_message_to({"a@b.example"});
  m.recipients[0].state = RecipientState::deferred;
  m.recipients[0].next_attempt = kThursday + Duration(1);
  CHECK(bench.due({m}).empty());
  m.recipients[0].next_attempt = kThursday;
  CHECK(bench.due({m}) == Names{"isp"});
  note_open_failure(bench.states["hub"], bench.config.connectors[0], "refused", kThursday);
  CHECK(bench.due({m}).empty());
  bench.now = kThursday + bench.config.connectors[0].open_interval;
  CHECK(bench.due({m}) == Names{"isp"});
  bench.config.connectors[0].hours = {*config::parse_hours("Mo-Su 18:00-20:00")};
  CHECK(bench.due({m}).empty());
  bench.now = utc("2026-11-26T18:00:00Z");
  CHECK(bench.due({m}) == Names{"isp"});
}

TEST_CASE("failover: the link of the next cost becomes due") {
  Bench bench;
  bench.config.links = {link("isp"), link("gsm")};
  bench.config.connectors = {connector("hub", {"*"}, "isp"), connector("backup", {"*"}, "gsm", 50)};
  bench.config.connectors[0].max_open_retries = 1;
  const std::vector<QueuedMessage> mail = {sized_message_to({"a@b.example"})};
  CHECK(bench.due(mail) == Names{"isp"});
  note_open_failure(bench.states["hub"], bench.config.connectors[0], "refused", kThursday);
  CHECK(bench.due(mail).empty());
  note_open_failure(bench.states["hub"], bench.config.connectors[0], "refused", kThursday);
  CHECK(bench.due(mail) == Names{"gsm"});
}

TEST_CASE("a retrieval is due every so often") {
  Bench bench = one_hub();
  bench.config.connectors[0].retrieve.emplace();
  bench.config.connectors[0].retrieve->every = Duration(3'600'000);
  CHECK(bench.links({})[0].reasons == Names{"retrieval by connector hub"});
  CHECK(bench.links({})[0].retrieve);
  bench.states["hub"].retrieved = kThursday - Duration(3'599'999);
  CHECK(bench.due({}).empty());
  bench.states["hub"].retrieved = kThursday - Duration(3'600'000);
  CHECK(bench.due({}) == Names{"isp"});
  bench.states["hub"].retrieved = kThursday + Duration(86'400'000);   // the clock was ahead
  CHECK(bench.due({}) == Names{"isp"});
}

}  // namespace
}  // namespace longline::mail
