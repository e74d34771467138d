// SPDX-License-Identifier: MIT
#include "mail/queue_summary.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

const WallTime kSummedAt(Duration(1'800'000'000'000));

QueuedMessage message_of_age(Duration age, std::int64_t size, std::vector<std::string> recipients, const std::string& reason = "") {
  QueuedMessage out;
  out.arrived = kSummedAt - age;
  out.size = size;
  for (const std::string& address : recipients) {
    Recipient r;
    r.address = address;
    r.reason = reason;
    if (!reason.empty()) r.state = RecipientState::deferred;
    out.recipients.push_back(r);
  }
  return out;
}

struct SummaryWorld {
  config::Config config;
  ConnectorChoice choice{config};
  SummaryWorld() {
    config::Connector hub, lan;
    hub.name = "hub";
    hub.domains = {"*.example"};
    hub.link = "isp";
    hub.host = "line";
    lan.name = "lan";
    lan.domains = {"lan.example"};
    lan.host = "10.0.0.1";
    config.connectors = {hub, lan};
  }
  QueueSummary count(SummaryBy by) {
    QueueSummary summary(by, choice, kSummedAt);
    summary.add(message_of_age(Duration(60'000), 100, {"a@one.example", "b@one.example"}, "451 4.7.1 Greylisted"));
    summary.add(message_of_age(Duration(3'600'000), 1000, {"a@one.example", "c@lan.example"}));
    summary.add(message_of_age(Duration(90'000'000), 10'000, {"c@lan.example"}, "connect to x: Connection refused"));
    summary.add(message_of_age(Duration(0), 7, {"d@nowhere.test"}));
    return summary;
  }
};

TEST_CASE("by connector: a message counts once in each that it needs, and once in all") {
  SummaryWorld world;
  const QueueSummary summary = world.count(SummaryBy::connector);
  const auto groups = summary.groups();
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].name == "hub");
  CHECK(groups[0].link == "isp");
  CHECK(groups[0].count == 2);
  CHECK(groups[0].bytes == 1100);
  CHECK(groups[0].oldest == kSummedAt - Duration(3'600'000));
  CHECK(groups[0].ages[0] == 1);
  CHECK(groups[0].ages[4] == 1);   // 40 to 80 minutes
  CHECK(groups[0].reasons[static_cast<std::size_t>(ReasonClass::greylist)] == 1);
  CHECK(groups[1].name == "lan");
  CHECK(groups[1].count == 2);
  CHECK(groups[1].ages[kAgeClasses.size()] == 1);
  CHECK(groups[1].reasons[static_cast<std::size_t>(ReasonClass::link)] == 1);
  CHECK(groups[2].name.empty());
  CHECK(summary.total().count == 4);
  CHECK(summary.total().bytes == 11'107);
}

TEST_CASE("by next hop and by domain") {
  SummaryWorld world;
  const auto hops = world.count(SummaryBy::next_hop).groups();
  REQUIRE(hops.size() == 3);
  CHECK(hops[0].name == "10.0.0.1:25");
  CHECK(hops[1].name == "line");
  const auto domains = world.count(SummaryBy::domain).groups();
  REQUIRE(domains.size() == 3);
  CHECK(domains[0].name == "lan.example");
  CHECK(domains[0].count == 2);
}

TEST_CASE("finished recipients do not count") {
  SummaryWorld world;
  QueueSummary summary(SummaryBy::connector, world.choice, kSummedAt);
  QueuedMessage one = message_of_age(Duration(0), 5, {"a@one.example", "c@lan.example"});
  one.recipients[0].state = RecipientState::delivered;
  summary.add(one);
  REQUIRE(summary.groups().size() == 1);
  CHECK(summary.groups()[0].name == "lan");
}

TEST_CASE("as JSON and for people") {
  SummaryWorld world;
  const QueueSummary summary = world.count(SummaryBy::connector);
  const std::string json = to_json(summary.groups()[0], SummaryBy::connector).dump();
  CHECK(json.starts_with(R"({"connector":"hub","link":"isp","next_hop":"line","count":2,"bytes":1100,"oldest":"2027-01-15T07:00:00Z",)"
                         R"("held":0,"ages":[{"minutes":5,"count":1},)"));
  CHECK(json.find(R"({"minutes":null,"count":0}])") != std::string::npos);
  CHECK(json.ends_with(R"("reason_classes":{"none":1,"greylist":1}})"));
  const std::string text = summary_text(summary, kSummedAt);
  CHECK(text.find("CONNECTOR") == 0);
  CHECK(text.find("(none)") != std::string::npos);
  CHECK(text.find("total") != std::string::npos);
  CHECK(summary_text(QueueSummary(SummaryBy::domain, world.choice, kSummedAt), kSummedAt).empty());
}

TEST_CASE("hostile domains are escaped") {
  SummaryWorld world;
  QueueSummary summary(SummaryBy::domain, world.choice, kSummedAt);
  summary.add(message_of_age(Duration(0), 1, {"a@x\033[2J\ny"}));
  CHECK(summary_text(summary, kSummedAt).find('\033') == std::string::npos);
}

}  // namespace
}  // namespace longline::mail
