// SPDX-License-Identifier: MIT
#include "route/plan.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace longline;
using namespace longline::route;

namespace {

Result<std::string> no_include(const std::string& path) { return Error(Errc::not_found, path); }

/// eth0 (1, up), ppp0 (2, up, point-to-point), down0 (3, down); the given routes in the form of a file, each with a
/// protocol of its own behind "|".
struct World {
  KernelState kernel;
  ParsedRoutes wanted;
  Resolved resolved;
  std::vector<Change> changes;

  World(const std::string& present, const std::string& text, const LinkStates& links = {}) {
    kernel.interfaces.add({1, "eth0", true, false});
    kernel.interfaces.add({2, "ppp0", true, true});
    kernel.interfaces.add({3, "down0", false, false});
    for (std::size_t begin = 0; begin < present.size();) {
      const std::size_t end = present.find('\n', begin);
      const std::string line = present.substr(begin, end - begin);
      begin = end + 1;
      const std::size_t bar = line.find('|');
      ParsedRoutes one = parse_routes("k", line.substr(0, bar), no_include);
      REQUIRE(one.ok());
      Resolved in_kernel = resolve(one.routes, kernel, {});
      REQUIRE(in_kernel.targets.size() == 1);
      KernelRoute route = in_kernel.targets[0].route;
      if (bar != std::string::npos) route.protocol = static_cast<std::uint8_t>(std::stoi(line.substr(bar + 1)));
      kernel.routes.push_back(route);
    }
    wanted = parse_routes("r", text, no_include);
    REQUIRE(wanted.ok());
    resolved = resolve(wanted.routes, kernel, links);
    changes = plan(resolved, kernel);
  }

  std::string text() const {
    std::string out;
    for (const Change& change : changes) out += to_string(change, kernel.interfaces) + "\n";
    return out;
  }
};

}  // namespace

TEST_CASE("a table that is right needs nothing") {
  const World world("10.0.0.0/8 via 10.1.1.1 dev eth0\nfd00::/8 dev eth0\nblackhole 9.0.0.0/8\n",
                    "10.0.0.0/8 via 10.1.1.1\nfd00::/8 dev eth0 metric 1024\nblackhole 9.0.0.0/8\n");
  CHECK(world.text() == "");
  CHECK(steps(world.changes).empty());
}

TEST_CASE("added, changed and removed; foreign routes are left alone") {
  const World world("10.0.0.0/8 dev eth0\n11.0.0.0/8 dev eth0\n12.0.0.0/8 dev eth0|4\n",
                    "10.0.0.0/8 dev eth0 mtu 1400\n13.0.0.0/8 dev eth0\n");
  CHECK(world.text() == "~ 10.0.0.0/8 dev eth0 mtu 1400 (was 10.0.0.0/8 dev eth0)\n+ 13.0.0.0/8 dev eth0\n- 11.0.0.0/8 dev eth0\n");
}

TEST_CASE("a foreign route of the same prefix and metric is a conflict without steps") {
  const World world("10.0.0.0/8 via 10.1.1.1 dev eth0|4\n", "10.0.0.0/8 dev eth0\n10.0.0.0/8 dev eth0 metric 9\n");
  CHECK(world.text() ==
        "! 10.0.0.0/8 dev eth0 (taken by 10.0.0.0/8 via 10.1.1.1 dev eth0 proto static)\n+ 10.0.0.0/8 dev eth0 metric 9\n");
  CHECK(steps(world.changes).size() == 1);
}

TEST_CASE("routes to a gateway's network come before the routes through the gateway, reject routes go first") {
  const World world("blackhole 10.9.0.0/16\n12.0.0.0/8 dev eth0\n",
                    "11.0.0.0/8 via 10.9.0.1\n10.9.0.0/24 dev eth0\n");
  CHECK(world.text() == "- blackhole 10.9.0.0/16\n+ 10.9.0.0/24 dev eth0\n+ 11.0.0.0/8 via 10.9.0.1\n- 12.0.0.0/8 dev eth0\n");
}

TEST_CASE("undoing is the same steps backwards") {
  const World world("10.0.0.0/8 dev eth0\n11.0.0.0/8 dev eth0\n", "10.0.0.0/8 dev eth0 mtu 1400\n13.0.0.0/8 dev eth0\n");
  const std::vector<Step> forward = steps(world.changes);
  REQUIRE(forward.size() == 4);
  const std::vector<Step> back = undo(forward, 3);
  REQUIRE(back.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(back[i].route == forward[2 - i].route);
    CHECK(back[i].add != forward[2 - i].add);
  }
  CHECK(undo(forward, 99).size() == 4);
}

TEST_CASE("a route that somebody appended behind ours goes, by its own next hop") {
  const World world("10.0.0.0/8 dev eth0\n10.0.0.0/8 dev ppp0\n", "10.0.0.0/8 dev eth0\n");
  CHECK(world.text() == "- 10.0.0.0/8 dev ppp0\n");
}

TEST_CASE("the order of file and table does not matter") {
  const std::string present = "10.0.0.0/8 dev eth0\n11.0.0.0/8 dev eth0|4\n12.0.0.0/8 dev eth0\n13.0.0.0/8 dev eth0\nfd00::/8 dev eth0\n";
  CHECK(World(present, "10.0.0.0/8 dev eth0\n12.0.0.0/8 dev eth0\n13.0.0.0/8 dev eth0\nfd00::/8 dev eth0\n").text() == "");
  CHECK(World(present, "fd00::/8 dev eth0\n13.0.0.0/8 dev eth0\n10.0.0.0/8 dev eth0\n12.0.0.0/8 dev eth0\n").text() == "");
  CHECK(World(present, "12.0.0.0/8 dev eth0\n9.0.0.0/8 dev eth0\n13.0.0.0/8 dev eth0\nfd00::/8 dev eth0\n").text() ==
        "+ 9.0.0.0/8 dev eth0\n- 10.0.0.0/8 dev eth0\n");
}

TEST_CASE("what a file cannot say is known") {
  KernelRoute route;
  route.interface = 1;
  CHECK(can_be_said(route));
  route.tos = 4;
  CHECK_FALSE(can_be_said(route));
  route.tos = 0;
  route.type = 9;  // RTN_THROW
  CHECK_FALSE(can_be_said(route));
  route.type = rt::kBlackhole;
  CHECK(can_be_said(route));
  route.other = true;
  CHECK_FALSE(can_be_said(route));
}

TEST_CASE("a hundred thousand keys are found again") {
  KeyIndex index(10);
  const auto key = [](std::uint32_t i) {
    RouteKey k;
    k.to = default_prefix(Family::ipv4);
    k.to.length = 32;
    k.to.address.bytes = {10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    k.metric = i % 3;
    return k;
  };
  for (std::uint32_t i = 0; i < 100'000; ++i) CHECK_MESSAGE(index.insert(key(i), i) == i, i);
  std::size_t found = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) found += index.find(key(i)) == i ? 1 : 0;
  CHECK(found == 100'000);
  CHECK(index.insert(key(7), 99) == 7);
  CHECK(index.find(key(100'001)) == KeyIndex::kNone);
}

TEST_CASE("a change is one line of JSON") {
  const World world("10.0.0.0/8 dev eth0\n", "10.0.0.0/8 dev eth0 mtu 1400\n");
  REQUIRE(world.changes.size() == 1);
  const JsonObject json = to_json(world.changes[0], world.kernel.interfaces);
  CHECK(json.string("change") == "replace");
  CHECK(json.string("route") == "10.0.0.0/8 dev eth0 mtu 1400");
  CHECK(json.string("now") == "10.0.0.0/8 dev eth0");
  CHECK(json.integer("mtu") == 1400);
}
