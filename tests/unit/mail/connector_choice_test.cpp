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

config::Link link(std::string name) {
  config::Link l;
  l.name = std::move(name);
  return l;
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

// Q230051: one dial-up smart host for everything; then a connection for one domain over the LAN was added, and the
// dial-up one never dialled again.
TEST_CASE("Q230051: a LAN connector for one domain does not keep the dial-up connector from dialling") {
  config::Config config;
  config.links = {link("isp")};
  config.connectors = {connector("smarthost", {"*"}, "isp"), connector("partner", {"partner.example"})};
  const auto due = [&](std::vector<QueuedMessage> messages) {
    DueLinks links(config);
    for (const QueuedMessage& m : messages) links.add(m, kNow);
    return links.names();
  };
  CHECK(due({message_to({"a@world.example"})}) == std::vector<std::string>{"isp"});
  CHECK(due({message_to({"a@partner.example"}), message_to({"a@world.example"})}) == std::vector<std::string>{"isp"});
  CHECK(due({message_to({"a@partner.example", "b@world.example"})}) == std::vector<std::string>{"isp"});
  CHECK(due({message_to({"a@partner.example"})}).empty());
  CHECK(chosen(config, "a@partner.example") == "partner");
  CHECK(chosen(config, "a@world.example") == "smarthost");

  // The other order of the entries, and the LAN connector at a lower cost: the same.
  std::swap(config.connectors[0], config.connectors[1]);
  config.connectors[0].cost = 1;
  CHECK(due({message_to({"a@partner.example"}), message_to({"a@world.example"})}) == std::vector<std::string>{"isp"});
  CHECK(due({message_to({"a@partner.example"})}).empty());
}

TEST_CASE("each link is named once, in the order of the configuration") {
  config::Config config;
  config.links = {link("one"), link("two"), link("idle")};
  config.connectors = {connector("b", {"b.example"}, "two"), connector("a", {"a.example"}, "one")};
  DueLinks links(config);
  links.add(message_to({"x@b.example"}), kNow);
  links.add(message_to({"x@a.example", "y@a.example"}), kNow);
  CHECK(links.names() == std::vector<std::string>{"one", "two"});
}

TEST_CASE("what this version cannot send makes no link due") {
  config::Config config;
  config.links = {link("isp")};
  config.connectors = {connector("x400", {"*"}, "isp")};
  config.connectors[0].protocol = config::Protocol::x400;
  DueLinks links(config);
  links.add(message_to({"x@b.example"}), kNow);
  CHECK(links.names().empty());
}

TEST_CASE("what needs a login, or is too large, makes no link due") {
  config::Config config;
  config.links = {link("isp")};
  config.connectors = {connector("hub", {"*"}, "isp")};
  config.connectors[0].max_size = 1000;
  QueuedMessage m = message_to({"x@b.example"});
  const auto due = [&] {
    DueLinks links(config);
    links.add(m, kNow);
    return !links.names().empty();
  };
  m.size = 1000;
  CHECK(due());
  CHECK_FALSE(why_too_large(config.connectors[0], 1000));
  m.size = 1001;
  CHECK_FALSE(due());
  CHECK(why_too_large(config.connectors[0], 1001));
  m.size = 1;
  config.connectors[0].user = "site7";
  CHECK_FALSE(due());
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
}

}  // namespace
}  // namespace longline::mail
