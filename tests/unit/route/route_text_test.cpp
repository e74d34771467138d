// SPDX-License-Identifier: MIT
#include "route/route_text.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace longline;
using namespace longline::route;

namespace {

Result<std::string> nothing_included(const std::string& path) { return Error(Errc::not_found, path); }

/// The canonical text of a line; its first error's code in brackets when it is wrong.
std::string canonical(const std::string& line) {
  std::vector<Diagnostic> diagnostics;
  const auto wanted = parse_route_line(line, 1, "f", diagnostics);
  if (!diagnostics.empty()) return "[" + diagnostics.front().code + "]";
  return wanted ? to_string(wanted->route) : "";
}

std::string first_error(const std::string& line) {
  const ParsedRoutes parsed = parse_routes("routes", line, nothing_included);
  return parsed.diagnostics.empty() ? "" : render(parsed.diagnostics.front(), parsed.sources.front());
}

}  // namespace

TEST_CASE("a route is written as ip-route(8) has it, in any order of words") {
  CHECK(canonical("192.168.100.0/24 via 1.1.1.1 dev ppp0") == "192.168.100.0/24 via 1.1.1.1 dev ppp0");
  CHECK(canonical("192.168.100.0 mask 255.255.255.0 link branch") == "192.168.100.0/24 link branch");
  CHECK(canonical("192.168.100.0/255.255.255.0 link branch") == "192.168.100.0/24 link branch");
  CHECK(canonical(" default  metric 7 via\t10.0.0.1 # the way out") == "default via 10.0.0.1 metric 7");
  CHECK(canonical("default via fe80::1 dev eth0") == "::/0 via fe80::1 dev eth0");
  CHECK(canonical("10/8 dev eth0") == "10.0.0.0/8 dev eth0");
  CHECK(canonical("10.1.2.3 dev eth0") == "10.1.2.3/32 dev eth0");
  CHECK(canonical("2001:db8::/32 link isp mtu 1280 src 2001:db8::1 table 100 fail-fast") ==
        "2001:db8::/32 link isp table 100 src 2001:db8::1 mtu 1280 fail-fast");
  CHECK(canonical("blackhole 10.0.0.0/8 metric 4294967295") == "blackhole 10.0.0.0/8 metric 4294967295");
  CHECK(canonical("10.0.0.0/8 unreachable") == "unreachable 10.0.0.0/8");
  CHECK(canonical("10.0.0.0/8 via 10.9.9.9 dev eth0 onlink proto 77 scope link table main\r") ==
        "10.0.0.0/8 via 10.9.9.9 dev eth0 onlink");
  CHECK(canonical("") == "");
  CHECK(canonical("   # nothing") == "");
}

TEST_CASE("what is printed is read back as the same route") {
  for (const char* line : {"default dev ppp0", "::/0 link isp", "prohibit ::/0", "10.0.0.0/8 via 10.1.1.1 link isp onlink metric 3"}) {
    const std::string once = canonical(line);
    CHECK(canonical(once) == once);
  }
}

TEST_CASE("every mistake has its own code") {
  CHECK(canonical("192.168.100.15/24 dev eth0") == "[host-bits]");
  CHECK(canonical("192.168.100.15 mask 255.255.255.0 dev eth0") == "[host-bits]");
  CHECK(canonical("10.0.0.0/8") == "[no-next-hop]");
  CHECK(canonical("10.0.0.0/33 dev eth0") == "[bad-length]");
  CHECK(canonical("10.0.0.0/ dev eth0") == "[bad-length]");
  CHECK(canonical("10.0.0.0/8 mask 255.0.0.0 dev eth0") == "[repeated]");
  CHECK(canonical("10.0.0.0 mask 255.0.255.0 dev eth0") == "[bad-mask]");
  CHECK(canonical("::/0 mask 0.0.0.0 dev eth0") == "[repeated]");
  CHECK(canonical("via 10.0.0.1") == "[bad-prefix]");
  CHECK(canonical("defalt via 10.0.0.1") == "[bad-prefix]");
  CHECK(canonical("10.0.0.0/8 gateway 10.0.0.1") == "[unknown-word]");
  CHECK(canonical("10.0.0.0/8 10.0.0.1") == "[unknown-word]");
  CHECK(canonical("10.0.0.0/8 via") == "[no-argument]");
  CHECK(canonical("10.0.0.0/8 via # x") == "[no-argument]");
  CHECK(canonical("10.0.0.0/8 via 1.1.1.1 via 1.1.1.2") == "[repeated]");
  CHECK(canonical("10.0.0.0/8 via fe80::1 dev eth0") == "[wrong-family]");
  CHECK(canonical("10.0.0.0/8 dev eth0 src ::1") == "[wrong-family]");
  CHECK(canonical("10.0.0.0/8 via 0.0.0.0") == "[bad-gateway]");
  CHECK(canonical("10.0.0.0/8 via 224.0.0.1") == "[bad-gateway]");
  CHECK(canonical("::/0 via fe80::1%eth0 dev eth0") == "[bad-address]");
  CHECK(canonical("::/0 via fe80::1") == "[link-local]");
  CHECK(canonical("10.0.0.0/8 dev eth0 link isp") == "[dev-and-link]");
  CHECK(canonical("10.0.0.0/8 dev eth0123456789abcdef") == "[bad-name]");
  CHECK(canonical("10.0.0.0/8 dev ../x") == "[bad-name]");
  CHECK(canonical("10.0.0.0/8 dev eth0 metric -1") == "[bad-number]");
  CHECK(canonical("10.0.0.0/8 dev eth0 metric 4294967296") == "[bad-number]");
  CHECK(canonical("10.0.0.0/8 dev eth0 mtu 67") == "[bad-number]");
  CHECK(canonical("2001:db8::/32 dev eth0 mtu 1279") == "[bad-number]");
  CHECK(canonical("10.0.0.0/8 dev eth0 table 0") == "[bad-number]");
  CHECK(canonical("10.0.0.0/8 dev eth0 table 255") == "[local-table]");
  CHECK(canonical("10.0.0.0/8 dev eth0 proto static") == "[bad-protocol]");
  CHECK(canonical("10.0.0.0/8 via 10.0.0.1 onlink") == "[onlink]");
  CHECK(canonical("blackhole 10.0.0.0/8 dev eth0") == "[next-hop]");
  CHECK(canonical("blackhole") == "[no-prefix]");
  CHECK(canonical("blackhole 10.0.0.0/8 prohibit") == "[repeated]");
  CHECK(canonical(std::string(2000, 'x')) == "[line-too-long]");
  CHECK(canonical(std::string("10.0.0.0/8\0 dev eth0", 20)) == "[bad-length]");
}

TEST_CASE("a mistake is shown where it is, with what was meant") {
  CHECK(first_error("\n192.168.100.15/24 dev eth0\n") ==
        "routes:2:1: error: 192.168.100.15 has bits set behind its length of 24; the network meant is 192.168.100.0/24 [host-bits]\n"
        "    192.168.100.15/24 dev eth0\n    ^~~~~~~~~~~~~~~~~\n  fix: 192.168.100.0/24\n");
  CHECK(first_error("10.0.0.0/8 va 1.1.1.1\n") ==
        "routes:1:12: error: unknown word 'va' [unknown-word]\n    10.0.0.0/8 va 1.1.1.1\n               ^~\n  fix: 'via'?\n");
  CHECK(first_error("10.0.0.0/8 dev") ==
        "routes:1:15: error: 'dev' needs a value behind it [no-argument]\n    10.0.0.0/8 dev\n                  ^\n");
}

TEST_CASE("a file has comments, empty lines, CR LF and a byte order mark") {
  const ParsedRoutes parsed = parse_routes("r", "\xEF\xBB\xBF# ours\r\n\r\n10.0.0.0/8 dev a # b\r\n 11.0.0.0/8 dev a", nothing_included);
  REQUIRE(parsed.ok());
  REQUIRE(parsed.routes.size() == 2);
  CHECK(parsed.routes[0].line == 3);
  CHECK(parsed.where(parsed.routes[1]).line == 4);
  CHECK(parsed.where(parsed.routes[1]).column == 2);
  CHECK(parse_routes("r", "", nothing_included).ok());
}

TEST_CASE("the same prefix, metric and table twice is an error; another metric is not") {
  const ParsedRoutes twice = parse_routes("r", "10.0.0.0/8 dev a\n10.0.0.0/8 dev b\n", nothing_included);
  REQUIRE(twice.diagnostics.size() == 1);
  CHECK(twice.diagnostics[0].code == "duplicate");
  CHECK(twice.diagnostics[0].where.line == 2);
  CHECK(twice.diagnostics[0].message == "10.0.0.0/8 with metric 0 stands in r:1 too; the kernel holds one of them");
  CHECK(parse_routes("r", "10.0.0.0/8 dev a\n10.0.0.0/8 dev b metric 1\n10.0.0.0/8 dev a table 7\n", nothing_included).ok());
  CHECK_FALSE(parse_routes("r", "fd00::/8 dev a\nfd00::/8 dev b metric 1024\n", nothing_included).ok());
  CHECK_FALSE(parse_routes("r", "11.0.0.0/8 dev a\n10.0.0.0/8 dev a\n11.0.0.0/8 dev b\n", nothing_included).ok());
}

TEST_CASE("what a file includes is bounded as a whole") {
  std::size_t reads = 0;
  const auto read = [&](const std::string&) -> Result<std::string> {
    ++reads;
    return std::string(kMostLines / 3, '\n');
  };
  std::string text;
  for (int i = 0; i < 900; ++i) text += "include a\n";
  CHECK(parse_routes("r", text, read).diagnostics.at(0).code == "too-large");
  CHECK(reads < 30);
}

TEST_CASE("included files are relative to the one that includes them, and cannot go round in circles") {
  const std::map<std::string, std::string> files = {
      {"/etc/d/a", "10.0.0.0/8 dev a\ninclude b\n"}, {"/etc/d/b", "11.0.0.0/8 dev b\nbad\n"}, {"/etc/loop", "include loop\n"}};
  const auto read = [&](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return Error(Errc::not_found, path + ": no such file");
    return found->second;
  };
  const ParsedRoutes parsed = parse_routes("/etc/routes", "include d/a # more\n12.0.0.0/8 dev c\n", read);
  CHECK(parsed.routes.size() == 3);
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.diagnostics[0].where.file == "/etc/d/b");
  CHECK(parsed.diagnostics[0].where.line == 2);
  CHECK(parsed.where(parsed.routes[2]).file == "/etc/routes");
  CHECK(parse_routes("/etc/routes", "include loop\n", read).diagnostics.at(0).code == "include-cycle");
  const ParsedRoutes missing = parse_routes("/etc/routes", "include nowhere\n", read);
  CHECK(missing.diagnostics.at(0).code == "include");
  CHECK(missing.diagnostics.at(0).where.column == 9);
}

TEST_CASE("a file of nonsense ends after the first twenty errors") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "nonsense\n";
  CHECK(parse_routes("r", text, nothing_included).diagnostics.size() == kMostDiagnostics);
}

TEST_CASE("a selection names a route by as much as the operator typed") {
  std::vector<Diagnostic> diagnostics;
  const auto selection = parse_route_line("10.0.0.0/8", 1, "f", diagnostics, Completeness::selection);
  REQUIRE(selection);
  const auto route = [&](const char* line) { return parse_route_line(line, 1, "f", diagnostics)->route; };
  CHECK(matches(selection->route, route("10.0.0.0/8 via 1.1.1.1 metric 9")));
  CHECK(matches(selection->route, route("blackhole 10.0.0.0/8")));
  CHECK_FALSE(matches(selection->route, route("10.0.0.0/9 dev a")));
  CHECK_FALSE(matches(selection->route, route("10.0.0.0/8 dev a table 9")));
  CHECK_FALSE(matches(route("10.0.0.0/8 dev b"), route("10.0.0.0/8 dev a")));
}
