// SPDX-License-Identifier: MIT
#include "route/check.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace longline;
using namespace longline::route;

namespace {

/// eth0 192.168.1.7/24 and ppp0 10.8.0.1 peer 10.8.0.2, the line of the link isp; routes as "TEXT|protocol" lines.
struct Host {
  KernelState kernel;
  std::vector<InterfaceAddress> addresses;
  LinkStates links{{"isp", {"ppp0"}}};
  std::vector<LinkFacts> facts{{"isp", false, false}};
  ParsedRoutes wanted;

  explicit Host(const std::string& routes, const std::string& file = "") {
    kernel.interfaces.add({1, "eth0", true, false});
    kernel.interfaces.add({2, "ppp0", true, true});
    addresses = {{1, {*parse_address("192.168.1.7"), 24}, *parse_address("192.168.1.7")},
                 {2, {*parse_address("10.8.0.2"), 32}, *parse_address("10.8.0.1")}};
    add("192.168.1.0/24 dev eth0|2\n10.8.0.2 dev ppp0|2\n" + routes);
    wanted = parse(file);
  }

  static ParsedRoutes parse(const std::string& text) {
    ParsedRoutes parsed =
        parse_routes("r", text, [](const std::string& path) -> Result<std::string> { return Error(Errc::not_found, path); });
    REQUIRE(parsed.ok());
    return parsed;
  }

  void add(const std::string& lines) {
    for (std::size_t begin = 0; begin < lines.size();) {
      const std::size_t end = lines.find('\n', begin);
      const std::string line = lines.substr(begin, end - begin);
      begin = end + 1;
      const std::size_t bar = line.find('|');
      const ParsedRoutes one = parse(line.substr(0, bar));
      KernelRoute route = resolve(one.routes, kernel, {}).targets.at(0).route;
      route.protocol = bar == std::string::npos ? kOwnProtocol : static_cast<std::uint8_t>(std::stoi(line.substr(bar + 1)));
      kernel.routes.push_back(route);
    }
  }

  std::string codes() const {
    std::string out;
    for (const Finding& f : check_routes({kernel, addresses, wanted.routes, links, facts})) {
      out += (out.empty() ? "" : "; ") + f.code + " " + f.route + (f.link.empty() ? "" : " @" + f.link);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("a host in order has no findings") {
  CHECK(Host("default via 192.168.1.1 dev eth0|16\n10.0.0.0/8 dev ppp0\n").codes() == "");
}

TEST_CASE("Q171001: a default route that the link took is found, and which link took it") {
  Host host("default dev ppp0|3\n");
  CHECK(host.codes() == "stolen-default default dev ppp0 proto boot @isp");
  host.facts[0].takes_default = true;
  CHECK(host.codes() == "");
  CHECK(Host("default dev ppp0\n", "default link isp\n").codes() == "");
  CHECK(Host("default dev ppp0|3\ndefault via 192.168.1.1 dev eth0 metric 100|16\n").codes() ==
        "stolen-default default dev ppp0 proto boot @isp; several-defaults default dev ppp0 proto boot");
}

TEST_CASE("gateways off-link, routes in the shadow, our own networks down the line") {
  CHECK(Host("10.0.0.0/8 via 172.16.0.1 dev eth0|4\n").codes() == "off-link 10.0.0.0/8 via 172.16.0.1 dev eth0 proto static");
  CHECK(Host("10.0.0.0/8 dev ppp0 metric 20\n10.0.0.0/8 via 192.168.1.9 dev eth0 metric 10|4\n").codes() ==
        "shadowed 10.0.0.0/8 dev ppp0 metric 20 @isp");
  CHECK(Host("192.168.1.128/25 dev ppp0|3\n").codes() == "own-network 192.168.1.128/25 dev ppp0 proto boot @isp");
}

TEST_CASE("Q255991: the address that a comparing peer of a dual-homed host would see") {
  Host host("10.0.0.0/8 dev ppp0\n");
  host.facts[0].peer_checks_source = true;
  const std::vector<Finding> findings = check_routes({host.kernel, host.addresses, host.wanted.routes, host.links, host.facts});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].message == "a peer sees us as 10.8.0.1, not as 192.168.1.7 (eth0); one that compares addresses refuses (event 9301)");
  Host said("10.0.0.0/8 dev ppp0 src 192.168.1.7\n");
  said.facts[0].peer_checks_source = true;
  CHECK(said.codes() == "");
}

TEST_CASE("the way to the host that one is logged in from is not taken away unnoticed") {
  const auto taken = [](const std::string& routes, const std::string& file) -> std::string {
    const Host host(routes, file);
    const Resolved resolved = resolve(host.wanted.routes, host.kernel, {});
    const std::vector<Change> changes = plan(resolved, host.kernel);
    const Change* change = change_of_way(*parse_address("10.1.2.3"), host.kernel.routes.at(2), changes);
    return change == nullptr ? "" : to_string(*change, host.kernel.interfaces);
  };
  CHECK(taken("default via 192.168.1.1 dev eth0|4\n", "10.0.0.0/8 dev ppp0\n") == "+ 10.0.0.0/8 dev ppp0");
  CHECK(taken("default via 192.168.1.1 dev eth0|4\n", "blackhole 10.1.0.0/16\n") == "+ blackhole 10.1.0.0/16");
  CHECK(taken("default via 192.168.1.1 dev eth0|4\n", "10.0.0.0/8 via 192.168.1.1\n11.0.0.0/8 dev ppp0\n") == "");
  CHECK(taken("default via 192.168.1.1 dev eth0 metric 5|4\n", "default dev ppp0 metric 9\n") == "");
  CHECK(taken("10.0.0.0/8 via 192.168.1.1 dev eth0\n", "") == "- 10.0.0.0/8 via 192.168.1.1 dev eth0");
  CHECK(taken("10.0.0.0/8 via 192.168.1.1 dev eth0\n", "10.0.0.0/8 dev ppp0\n") ==
        "~ 10.0.0.0/8 dev ppp0 (was 10.0.0.0/8 via 192.168.1.1 dev eth0)");
}

TEST_CASE("what a packet would do if its link were up") {
  Host host("", "10.0.0.0/8 link branch\n10.1.0.0/16 link branch metric 5\n192.168.1.0/24 link branch metric 9\n10.1.0.0/16 dev eth0\n");
  const Resolved resolved = resolve(host.wanted.routes, host.kernel, {});
  const auto answer = [&](const char* address, const KernelRoute* now) {
    const Wanted* better = better_if_up(*parse_address(address), host.wanted.routes, resolved.readiness, now);
    return better == nullptr ? "" : to_string(better->route);
  };
  CHECK(answer("10.1.2.3", nullptr) == "10.1.0.0/16 link branch metric 5");
  CHECK(answer("10.9.2.3", nullptr) == "10.0.0.0/8 link branch");
  CHECK(answer("192.168.1.9", &host.kernel.routes[0]) == "");
  CHECK(answer("172.16.0.1", nullptr) == "");
}
