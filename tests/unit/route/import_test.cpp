// SPDX-License-Identifier: MIT
#include "route/import.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace longline::route;

namespace {
std::string imported(std::string_view text) {
  const auto result = import_routes("f", text);
  if (!result) return "[" + std::string(to_string(result.error().code)) + "]";
  std::string out = result->text;
  for (const auto& d : result->diagnostics) out += "[" + d.code + " " + std::to_string(d.where.line) + "]";
  return out;
}
}  // namespace

TEST_CASE("what `ip route show` prints becomes a file of routes") {
  CHECK(imported("default via 10.0.0.254 dev eth0 proto dhcp src 10.0.0.7 metric 100 \n"
                 "10.1.0.0/16 dev tun0 scope link linkdown\n"
                 "unreachable fd02::/64 dev lo metric 7 pref medium\n"
                 "10.2.0.0/16 via 10.0.0.9 dev eth0 mtu lock 1400 onlink\n") ==
        "default via 10.0.0.254 dev eth0 metric 100 src 10.0.0.7\n10.1.0.0/16 dev tun0\nunreachable fd02::/64 metric 7\n"
        "10.2.0.0/16 via 10.0.0.9 dev eth0 mtu 1400 onlink\n");
}

TEST_CASE("what cannot be said, and what the kernel makes itself, becomes a comment") {
  CHECK(imported("10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.7\n10.3.0.0/16 proto static\n\tnexthop via 10.0.0.2 dev eth0 weight 1\n") ==
        "# the kernel makes it itself: 10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.7\n"
        "# 'nexthop' cannot be said here: 10.3.0.0/16 proto static\n");
}

TEST_CASE("`ip -j route show` is read as well") {
  CHECK(imported(R"([{"dst":"default","gateway":"10.0.0.254","dev":"eth0","protocol":"dhcp","metric":100,"flags":["onlink"]},
                     {"type":"blackhole","dst":"10.9.0.0/16","flags":[]},
                     {"dst":"10.3.0.0/16","dev":"eth0","metrics":[{"mtu":1400}],"flags":["linkdown"]}])") ==
        "default via 10.0.0.254 dev eth0 metric 100 onlink\nblackhole 10.9.0.0/16\n10.3.0.0/16 dev eth0 mtu 1400\n");
  CHECK(imported("[]") == "");
  CHECK(imported("[{]") == "[malformed]");
}

TEST_CASE("a line that is no route is an error with its line") {
  CHECK(imported("10.0.0.0/8 dev a\nnonsense\n") == "10.0.0.0/8 dev a\n[bad-prefix 2]");
  CHECK(imported("") == "");
}
