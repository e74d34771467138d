// SPDX-License-Identifier: MIT
#include "route/precheck.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace longline;
using namespace longline::route;

namespace {

/// eth0 is on 192.168.1.0/24 and fd00::/64, eth1 on 10.9.0.0/16; ppp0 is the end of a line.
struct CheckedHost {
  KernelState kernel;
  ParsedRoutes file;
  Resolved resolved;
  std::vector<Change> changes;

  explicit CheckedHost(const std::string& text) {
    kernel.interfaces.add({1, "eth0", true, false});
    kernel.interfaces.add({2, "eth1", true, false});
    kernel.interfaces.add({3, "ppp0", true, true});
    own("192.168.1.0", 24, 1, 0);
    own("fd00::", 64, 1, 256);
    own("10.9.0.0", 16, 2, 0);
    own("10.8.0.2", 32, 3, 0);
    own("fe80::", 64, 1, 256);
    file = parse_routes("r", text, [](const std::string& path) -> Result<std::string> { return Error(Errc::not_found, path); });
    REQUIRE(file.ok());
    resolved = resolve(file.routes, kernel, {});
    changes = plan(resolved, kernel);
  }

  void own(const char* address, int length, std::uint32_t interface, std::uint32_t metric) {
    KernelRoute route;
    route.to = {*parse_address(address), length};
    route.interface = interface;
    route.metric = metric;
    route.protocol = 2;
    kernel.routes.push_back(route);
  }

  std::string overlapping() const {
    std::string out;
    for (const Overlap& o : overlaps(changes, kernel)) out += to_string(o.change->then->wanted->route) + " in " + to_string(o.own->to) + "; ";
    return out;
  }
  std::string doubtful() const {
    std::string out;
    for (const Change* c : doubtful_gateways(changes, resolved, kernel)) out += to_string(c->then->wanted->route) + "; ";
    return out;
  }
};

}  // namespace

TEST_CASE("a part of our own network sent down the line is an overlap") {
  CHECK(CheckedHost("192.168.1.128/25 dev ppp0\n").overlapping() == "192.168.1.128/25 dev ppp0 in 192.168.1.0/24; ");
  CHECK(CheckedHost("192.168.1.128/25 via 10.9.0.1\n").overlapping() == "192.168.1.128/25 via 10.9.0.1 in 192.168.1.0/24; ");
  CHECK(CheckedHost("fd00::/80 dev ppp0\n").overlapping() == "fd00::/80 dev ppp0 in fd00::/64; ");
  CHECK(CheckedHost("fd00::/64 dev ppp0 metric 5\n").overlapping() == "fd00::/64 dev ppp0 metric 5 in fd00::/64; ");
}

TEST_CASE("what is preferred less, wider, a single host, refused, or on the network's own interface is no overlap") {
  CHECK(CheckedHost("fd00::/64 dev ppp0 metric 700\n192.168.0.0/16 dev ppp0\ndefault dev ppp0\n192.168.1.9 dev ppp0\n").overlapping() == "");
  CHECK(CheckedHost("blackhole 192.168.1.64/26\n192.168.1.0/25 dev eth0\n192.168.1.128/25 via 192.168.1.7\n").overlapping() == "");
  CHECK(CheckedHost("192.168.1.128/25 dev ppp0 table 100\nfe80::/80 dev ppp0\n").overlapping() == "");
}

TEST_CASE("a gateway on no network is doubtful, on any network or on one of its interface") {
  CHECK(CheckedHost("172.16.0.0/16 via 192.168.1.1\n172.17.0.0/16 via 192.168.1.1\n172.18.0.0/16 via 192.168.2.1\n").doubtful() ==
        "172.18.0.0/16 via 192.168.2.1; ");
  CHECK(CheckedHost("172.16.0.0/16 via 10.9.0.1 dev eth1\n172.17.0.0/16 via 10.9.0.1 dev eth0\n").doubtful() == "172.17.0.0/16 via 10.9.0.1 dev eth0; ");
  CHECK(CheckedHost("fd11::/64 via fd00::2\nfd12::/64 via fd01::2\nfd13::/64 via fe80::1 dev eth0\n").doubtful() == "fd12::/64 via fd01::2; ");
}

TEST_CASE("a gateway that a route of the same file leads to, or that is onlink, is not doubtful") {
  CHECK(CheckedHost("172.16.0.0/24 dev eth0\n172.17.0.0/16 via 172.16.0.1\n172.18.0.0/16 via 1.1.1.1 dev eth0 onlink\n").doubtful() == "");
  CHECK(CheckedHost("default dev eth1\n172.17.0.0/16 via 8.8.8.8\n").doubtful() == "172.17.0.0/16 via 8.8.8.8; ");
}

TEST_CASE("a route that waits for its gateway is no change, and the others stay") {
  CheckedHost host("172.16.0.0/16 via 192.168.1.1\n172.18.0.0/16 via 192.168.2.1\n172.19.0.0/16 via 192.168.1.1\n");
  let_unreachable_wait(host.changes, host.resolved, host.file.routes, host.kernel);
  CHECK(host.changes.size() == 2);
  CHECK(host.resolved.readiness == std::vector<Readiness>{Readiness::ready, Readiness::waiting, Readiness::ready});
  CHECK(waits_for(host.file.routes[1].route) == "gateway 192.168.2.1");
}

TEST_CASE("a gateway on the network of an interface that is down can be waited for") {
  CheckedHost host("");
  host.kernel.interfaces.add({4, "eth9", false, false});
  const std::vector<InterfaceAddress> addresses = {{1, {*parse_address("192.168.1.7"), 24}, *parse_address("192.168.1.7")},
                                                   {4, {*parse_address("10.7.0.1"), 24}, *parse_address("10.7.0.1")}};
  CHECK(is_on_interface_that_is_down(*parse_address("10.7.0.9"), addresses, host.kernel.interfaces));
  CHECK_FALSE(is_on_interface_that_is_down(*parse_address("10.7.1.9"), addresses, host.kernel.interfaces));
  CHECK_FALSE(is_on_interface_that_is_down(*parse_address("192.168.1.9"), addresses, host.kernel.interfaces));
}
