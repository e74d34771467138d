// SPDX-License-Identifier: MIT
#include "route/confirmation.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace longline;
using namespace longline::route;

namespace {

constexpr Duration kLimit{60'000};
const Confirmation kConfirmation{"17-5000", "boot-a", Duration(65'000), kLimit};

ParsedRoutes parse(const std::string& text) {
  ParsedRoutes parsed = parse_routes("r", text, [](const std::string& path) -> Result<std::string> { return Error(Errc::not_found, path); });
  REQUIRE(parsed.ok());
  return parsed;
}

/// What would be put back: `present` is in the kernel, `in_force` asked for.
Result<std::string> before(const std::string& in_force, const std::string& present, const KernelRoute* also = nullptr) {
  KernelState kernel;
  kernel.interfaces.add({1, "eth0", true, false});
  kernel.interfaces.add({2, "isp", true, true});
  const ParsedRoutes there = parse(present);
  for (const Target& target : resolve(there.routes, kernel, {}).targets) kernel.routes.push_back(target.route);
  if (also != nullptr) kernel.routes.push_back(*also);
  const ParsedRoutes wanted = parse(in_force);
  return table_before(wanted.routes, resolve(wanted.routes, kernel, {}), kernel);
}

}  // namespace

TEST_CASE("an apply waits until its time since boot is over, whatever the clocks say") {
  CHECK(standing(kConfirmation, "boot-a", Duration(5'000)) == Standing::waits);
  CHECK(standing(kConfirmation, "boot-a", Duration(64'999)) == Standing::waits);
  CHECK(standing(kConfirmation, "boot-a", Duration(65'000)) == Standing::due);
  CHECK(standing(kConfirmation, "boot-b", Duration(65'000)) == Standing::void_);
  // More time left than there ever was: that clock was another one.
  CHECK(standing(kConfirmation, "boot-a", Duration(4'999)) == Standing::due);
}

TEST_CASE("a confirmation is one line, and nothing else is one") {
  const std::string line = to_string(kConfirmation);
  CHECK(line == "17-5000 boot-a 65000 60000\n");
  const std::optional<Confirmation> back = parse_confirmation(line);
  REQUIRE(back);
  CHECK(to_string(*back) == line);
  for (const char* text : {"", "\n", "a b 1", "a b 1 2 3", "a b x 2", "a b 1 -2", "a b 9223372036854775807 1", "\x00\xff\x1b[2J"}) {
    CHECK_FALSE(parse_confirmation(text));
  }
  CHECK_FALSE(parse_confirmation(std::string(200, 'x') + " b 1 2"));
}

TEST_CASE("the table before is said in the words that asked for it, with what waits") {
  const std::string file = "10.0.0.0/8 link isp\n11.0.0.0/8 dev later\n12.0.0.0/8 dev eth0 fail-fast\n";
  CHECK(before(file, file).value() == file);
}

TEST_CASE("routes of ours that nobody asked for, or others than asked for, come back as they were") {
  CHECK(before("", "10.0.0.0/8 dev eth0\nblackhole 11.0.0.0/8\n").value() == "10.0.0.0/8 dev eth0\nblackhole 11.0.0.0/8\n");
  CHECK(before("10.0.0.0/8 link isp\n", "10.0.0.0/8 dev eth0 mtu 1300\n").value() == "10.0.0.0/8 dev eth0 mtu 1300\n");
}

TEST_CASE("a route of ours that a file cannot say is not given up silently") {
  KernelRoute multipath;
  multipath.to = {*parse_address("10.0.0.0"), 8};
  multipath.interface = 1;
  multipath.other = true;
  const Result<std::string> refused = before("", "", &multipath);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::route_refused);
  multipath.protocol = 4;
  CHECK(before("", "", &multipath).value() == "");
}
