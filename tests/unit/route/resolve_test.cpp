// SPDX-License-Identifier: MIT
#include "route/resolve.hpp"

#include <doctest/doctest.h>

#include <string>

#include "route/plan.hpp"

using namespace longline;
using namespace longline::route;

namespace {

ParsedRoutes parse_to_resolve(const std::string& text) {
  return parse_routes("r", text, [](const std::string& path) -> Result<std::string> { return Error(Errc::not_found, path); });
}

KernelState kernel_state() {
  KernelState kernel;
  kernel.interfaces.add({1, "eth0", true, false});
  kernel.interfaces.add({2, "ppp0", true, true});
  kernel.interfaces.add({3, "down0", false, false});
  kernel.interfaces.add({4, "branch", true, true});
  KernelRoute connected;
  connected.to = {*parse_address("10.8.0.0"), 24};
  connected.interface = 2;
  connected.protocol = 2;
  kernel.routes.push_back(connected);
  return kernel;
}

std::string resolved_text(const std::string& text, const LinkStates& links = {}) {
  const KernelState kernel = kernel_state();
  const ParsedRoutes wanted = parse_to_resolve(text);
  REQUIRE(wanted.ok());
  const Resolved resolved = resolve(wanted.routes, kernel, links);
  std::string out;
  for (const Readiness r : resolved.readiness) out += r == Readiness::ready ? 'r' : r == Readiness::waiting ? 'w' : 'h';
  for (const Target& target : resolved.targets) out += "; " + to_string(target.route, kernel.interfaces);
  for (const std::string& note : resolved.notes) out += "; note: " + note;
  return out;
}

}  // namespace

TEST_CASE("a route waits for an interface that is absent or down") {
  CHECK(resolved_text("10.0.0.0/8 dev ppp9\n11.0.0.0/8 dev down0\n12.0.0.0/8 dev eth0\n") == "wwr; 12.0.0.0/8 dev eth0");
}

TEST_CASE("a link's interface is the one that is known of it, else the one of its name") {
  CHECK(resolved_text("10.0.0.0/8 link isp\n") == "w");
  CHECK(resolved_text("10.0.0.0/8 link isp\n", {{"isp", {"ppp0"}}}) == "r; 10.0.0.0/8 dev ppp0");
  CHECK(resolved_text("10.0.0.0/8 link isp\n", {{"isp", {"ppp0", 2}}}) == "r; 10.0.0.0/8 dev ppp0");
  CHECK(resolved_text("10.0.0.0/8 link isp\n", {{"isp", {"ppp0", 7}}}) == "w");
  CHECK(resolved_text("10.0.0.0/8 link branch\n", {{"branch", {"", 0, true}}}) == "w");
  CHECK(resolved_text("10.0.0.0/8 link branch\n") == "r; 10.0.0.0/8 dev branch");
  CHECK(resolved_text("10.0.0.0/8 link isp\n", {{"isp", {"", 0, false, true}}}) == "h");
}

TEST_CASE("Q255991: any gateway is taken on a link, and left out") {
  CHECK(resolved_text("192.168.100.0 mask 255.255.255.0 via 1.1.1.1 link branch\n192.168.101.0/24 via 1.1.1.1 link branch\n") ==
        "rr; 192.168.100.0/24 dev branch; 192.168.101.0/24 dev branch; "
        "note: branch is a point-to-point interface: the gateway 1.1.1.1 is left out");
}

TEST_CASE("on a point-to-point device a gateway that can be reached stays") {
  CHECK(resolved_text("10.0.0.0/8 via 10.8.0.7 dev ppp0\n") == "r; 10.0.0.0/8 via 10.8.0.7 dev ppp0");
  CHECK(resolved_text("10.0.0.0/8 via 1.1.1.1 dev ppp0\n") ==
        "r; 10.0.0.0/8 dev ppp0; note: ppp0 is a point-to-point interface: the gateway 1.1.1.1 is left out");
  CHECK(resolved_text("10.0.0.0/8 via 1.1.1.1 dev eth0\n") == "r; 10.0.0.0/8 via 1.1.1.1 dev eth0");
}

TEST_CASE("fail-fast puts one unreachable route behind all routes of its prefix") {
  CHECK(resolved_text("10.0.0.0/8 link isp metric 5 fail-fast\n10.0.0.0/8 link branch metric 9 fail-fast\nfd00::/8 dev ppp9 fail-fast\n") ==
        "wrw; 10.0.0.0/8 dev branch metric 9; unreachable 10.0.0.0/8 metric 10; unreachable fd00::/8 metric 1025");
  CHECK(resolved_text("10.0.0.0/8 link isp metric 4294967295 fail-fast\n") == "w");
}
