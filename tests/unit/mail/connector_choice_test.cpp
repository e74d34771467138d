// SPDX-License-Identifier: MIT
#include "mail/connector_choice.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

config::Connector connector(std::string name, std::vector<std::string> domains, std::string link = "", int cost = 10) {
  config::Connector c;
  c.name = std::move(name);
  c.domains = std::move(domains);
  c.link = std::move(link);
  c.cost = cost;
  c.host = c.link.empty() ? "192.0.2.25" : "line";
  return c;
}

QueuedMessage message_to(std::vector<std::string> addresses) {
  QueuedMessage m;
  for (std::string& address : addresses) {
    Recipient r;
    r.address = std::move(address);
    m.recipients.push_back(std::move(r));
  }
  return m;
}

const WallTime kNow(Duration(1'800'000'000'000));

std::string chosen(const config::Config& config, std::string_view address) {
  const Destination destination = ConnectorChoice(config).choose(address);
  if (destination.local) return "local";
  return destination.connector == nullptr ? "none" : destination.connector->name;
}

TEST_CASE("the most specific domain wins, then the lowest cost, then the order") {
  config::Config config;
  config.connectors = {connector("any", {"*"}, "isp", 1), connector("below", {"*.example.com"}, "isp", 1),
                       connector("deep", {"*.eu.example.com"}, "isp", 50), connector("exact", {"example.com"}, "isp", 99),
                       connector("cheap", {"example.com"}, "isp", 5), connector("as-cheap", {"example.com"}, "isp", 5)};
  CHECK(chosen(config, "a@example.com") == "cheap");
  CHECK(chosen(config, "a@EXAMPLE.COM") == "cheap");
  CHECK(chosen(config, "a@www.example.com") == "below");
  CHECK(chosen(config, "a@x.eu.example.com") == "deep");
  CHECK(chosen(config, "a@example.org") == "any");
  CHECK(chosen(config, "a@notexample.com") == "any");
  CHECK(chosen(config, "\"a@b\"@example.com") == "cheap");
}

TEST_CASE("without a match there is no connector") {
  config::Config config;
  config.connectors = {connector("hub", {"example.com"}, "isp")};
  CHECK(chosen(config, "a@example.org") == "none");
  CHECK(waiting_reason(message_to({"a@example.org"}).recipients[0], {}) == "no connector serves example.org");
}

TEST_CASE("local domains win over less specific connectors only") {
  config::Config config;
  config.connectors = {connector("any", {"*"}, "isp"), connector("named", {"both.example"}, "isp")};
  config.local_domains = {"site7.example", "both.example"};
  CHECK(chosen(config, "a@site7.example") == "local");
  CHECK(chosen(config, "a@both.example") == "named");
  CHECK(chosen(config, "a@other.example") == "any");
}

TEST_CASE("a connector whose retries are spent comes after the others that are as specific") {
  config::Config config;
  config.connectors = {connector("cheap", {"example.com"}, "isp", 5), connector("dear", {"example.com"}, "gsm", 50),
                       connector("any", {"*"}, "isp", 1)};
  ConnectorStates states;
  const auto now_chosen = [&](WallTime now) { return ConnectorChoice(config, states, now).choose("a@example.com").connector->name; };
  for (int i = 0; i <= config.connectors[0].max_open_retries; ++i) {
    CHECK(now_chosen(kNow) == "cheap");
    note_open_failure(states["cheap"], config.connectors[0], "refused", kNow);
  }
  CHECK(now_chosen(kNow) == "dear");
  // Rested: tried again, and one more failure is another rest.
  const Duration rest = config.connectors[0].open_interval * config.connectors[0].max_open_retries;
  CHECK(now_chosen(kNow + rest - Duration(1)) == "dear");
  CHECK(now_chosen(kNow + rest) == "cheap");
  note_open_failure(states["cheap"], config.connectors[0], "refused", kNow + rest);
  CHECK(now_chosen(kNow + rest) == "dear");
  // A clock that was ahead when the failure was written down.
  CHECK(now_chosen(kNow - Duration(365LL * 86'400'000)) == "cheap");
  // All are spent: the cheapest, never a less specific one.
  for (int i = 0; i <= config.connectors[1].max_open_retries; ++i) note_open_failure(states["dear"], config.connectors[1], "refused", kNow + rest);
  CHECK(now_chosen(kNow + rest) == "cheap");
  CHECK(note_success(states["cheap"]));
  CHECK_FALSE(note_success(states["cheap"]));
  CHECK(now_chosen(kNow + rest) == "cheap");
}

TEST_CASE("sessions that break off with nothing moved are counted apart from openings that fail") {
  config::Connector c = connector("lan", {"*"});
  ConnectorState state;
  note_open_failure(state, c, "refused", kNow);
  note_broken_transfer(state, c, "cut", kNow);
  CHECK(state.open_failures == 0);
  CHECK(is_resting(state, c, kNow));
  CHECK_FALSE(is_spent(state, c, kNow));
  note_broken_transfer(state, c, "cut", kNow);
  CHECK_FALSE(is_spent(state, c, kNow));
  note_broken_transfer(state, c, "cut", kNow);
  CHECK(is_spent(state, c, kNow));
  CHECK(state.reason == "cut");
}

TEST_CASE("a connector that delivers by DNS has a state for each domain") {
  config::Config config;
  config.connectors = {connector("world", {"*"}), connector("hub", {"*"}, "isp", 50)};
  config.connectors[0].host = "mx";
  config.connectors[0].max_open_retries = 0;
  ConnectorStates states;
  note_open_failure(states[state_key(config.connectors[0], "Dead.example")], config.connectors[0], "refused", kNow);
  ConnectorChoice choice(config, states, kNow);
  CHECK(choice.choose("a@dead.example").connector->name == "hub");
  CHECK(choice.choose("a@alive.example").connector->name == "world");
}

TEST_CASE("why a message is too large for a connector") {
  config::Connector c = connector("hub", {"*"}, "isp");
  c.max_size = 1000;
  CHECK_FALSE(why_too_large(c, 1000));
  CHECK(why_too_large(c, 1001));
}

TEST_CASE("next hops and leases") {
  config::Connector c = connector("lan", {"*"});
  CHECK(next_hop(&c) == "192.0.2.25:25");
  c.host = "2001:db8::1";
  CHECK(next_hop(&c) == "[2001:db8::1]:25");
  CHECK(lease_name(c) == "connector:lan");
  c = connector("hub", {"*"}, "isp");
  CHECK(next_hop(&c) == "line");
  CHECK(lease_name(c) == "link:isp");
  CHECK(next_hop(nullptr).empty());

  config::Config config;
  config.connectors = {connector("a", {"a.example"}), connector("b", {"b.example"}, "isp")};
  ConnectorChoice choice(config);
  for (int i = 0; i < 2; ++i) {
    for (const config::Connector& each : config.connectors) CHECK(choice.next_hop(each) == next_hop(&each));
  }
}

}  // namespace
}  // namespace longline::mail
