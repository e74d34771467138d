// SPDX-License-Identifier: MIT
#include "mail/connector_choice.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

config::Connector connector_to(std::string name, std::vector<std::string> domains, std::string link = "", int cost = 10) {
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

const WallTime kChosenAt(Duration(1'800'000'000'000));

std::string chosen(const config::Config& config, std::string_view address) {
  const Destination destination = ConnectorChoice(config).choose(address);
  if (destination.local) return "local";
  return destination.connector == nullptr ? "none" : destination.connector->name;
}

TEST_CASE("the most specific domain wins, then the lowest cost, then the order") {
  config::Config config;
  config.connectors = {connector_to("any", {"*"}, "isp", 1), connector_to("below", {"*.example.com"}, "isp", 1),
                       connector_to("deep", {"*.eu.example.com"}, "isp", 50), connector_to("exact", {"example.com"}, "isp", 99),
                       connector_to("cheap", {"example.com"}, "isp", 5), connector_to("as-cheap", {"example.com"}, "isp", 5)};
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
  config.connectors = {connector_to("hub", {"example.com"}, "isp")};
  CHECK(chosen(config, "a@example.org") == "none");
  CHECK(waiting_reason(message_to({"a@example.org"}).recipients[0], {}) == "no connector serves example.org");
}

TEST_CASE("local domains win over less specific connectors only") {
  config::Config config;
  config.connectors = {connector_to("any", {"*"}, "isp"), connector_to("named", {"both.example"}, "isp")};
  config.local_domains = {"site7.example", "both.example"};
  CHECK(chosen(config, "a@site7.example") == "local");
  CHECK(chosen(config, "a@both.example") == "named");
  CHECK(chosen(config, "a@other.example") == "any");
}

TEST_CASE("a connector whose retries are spent comes after the others that are as specific") {
  config::Config config;
  config.connectors = {connector_to("cheap", {"example.com"}, "isp", 5), connector_to("dear", {"example.com"}, "gsm", 50),
                       connector_to("any", {"*"}, "isp", 1)};
  ConnectorStates states;
  const auto now_chosen = [&](WallTime now) { return ConnectorChoice(config, states, now).choose("a@example.com").connector->name; };
  for (int i = 0; i <= config.connectors[0].max_open_retries; ++i) {
    CHECK(now_chosen(kChosenAt) == "cheap");
    note_open_failure(states["cheap"], config.connectors[0], "refused", kChosenAt);
  }
  CHECK(now_chosen(kChosenAt) == "dear");
  // Rested: tried again, and one more failure is another rest.
  const Duration rest = config.connectors[0].open_interval * config.connectors[0].max_open_retries;
  CHECK(now_chosen(kChosenAt + rest - Duration(1)) == "dear");
  CHECK(now_chosen(kChosenAt + rest) == "cheap");
  note_open_failure(states["cheap"], config.connectors[0], "refused", kChosenAt + rest);
  CHECK(now_chosen(kChosenAt + rest) == "dear");
  // A clock that was ahead when the failure was written down.
  CHECK(now_chosen(kChosenAt - Duration(365LL * 86'400'000)) == "cheap");
  // All are spent: the cheapest, never a less specific one.
  for (int i = 0; i <= config.connectors[1].max_open_retries; ++i) note_open_failure(states["dear"], config.connectors[1], "refused", kChosenAt + rest);
  CHECK(now_chosen(kChosenAt + rest) == "cheap");
  CHECK(note_success(states["cheap"]));
  CHECK_FALSE(note_success(states["cheap"]));
  CHECK(now_chosen(kChosenAt + rest) == "cheap");
}

TEST_CASE("sessions that break off with nothing moved are counted apart from openings that fail") {
  config::Connector c = connector_to("lan", {"*"});
  ConnectorState state;
  note_open_failure(state, c, "refused", kChosenAt);
  note_broken_transfer(state, c, "cut", kChosenAt);
  CHECK(state.open_failures == 0);
  CHECK(is_resting(state, c, kChosenAt));
  CHECK_FALSE(is_spent(state, c, kChosenAt));
  note_broken_transfer(state, c, "cut", kChosenAt);
  CHECK_FALSE(is_spent(state, c, kChosenAt));
  note_broken_transfer(state, c, "cut", kChosenAt);
  CHECK(is_spent(state, c, kChosenAt));
  CHECK(state.reason == "cut");
}

TEST_CASE("a connector that delivers by DNS has a state for each domain") {
  config::Config config;
  config.connectors = {connector_to("world", {"*"}), connector_to("hub", {"*"}, "isp", 50)};
  config.connectors[0].host = "mx";
  config.connectors[0].max_open_retries = 0;
  ConnectorStates states;
  note_open_failure(states[state_key(config.connectors[0], "Dead.example")], config.connectors[0], "refused", kChosenAt);
  ConnectorChoice choice(config, states, kChosenAt);
  CHECK(choice.choose("a@dead.example").connector->name == "hub");
  CHECK(choice.choose("a@alive.example").connector->name == "world");
}

TEST_CASE("why a message is too large for a connector") {
  config::Connector c = connector_to("hub", {"*"}, "isp");
  c.max_size = 1000;
  CHECK_FALSE(why_too_large(c, 1000));
  CHECK(why_too_large(c, 1001));
}

TEST_CASE("next hops and leases") {
  config::Connector c = connector_to("lan", {"*"});
  CHECK(next_hop(&c) == "192.0.2.25:25");
  c.host = "2001:db8::1";
  CHECK(next_hop(&c) == "[2001:db8::1]:25");
  CHECK(lease_name(c) == "connector:lan");
  c = connector_to("hub", {"*"}, "isp");
  CHECK(next_hop(&c) == "line");
  CHECK(lease_name(c) == "link:isp");
  CHECK(next_hop(nullptr).empty());

  config::Config config;
  config.connectors = {connector_to("a", {"a.example"}), connector_to("b", {"b.example"}, "isp")};
  ConnectorChoice choice(config);
  for (int i = 0; i < 2; ++i) {
    for (const config::Connector& each : config.connectors) CHECK(choice.next_hop(each) == next_hop(&each));
  }
}

}  // namespace
}  // namespace longline::mail
