// SPDX-License-Identifier: MIT
#include "route/address.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace longline::route;

TEST_CASE("addresses are read strictly and printed as RFC 5952 says") {
  const struct {
    const char* in;
    const char* out;
  } kGood[] = {{"0.0.0.0", "0.0.0.0"},
               {"192.168.100.15", "192.168.100.15"},
               {"255.255.255.255", "255.255.255.255"},
               {"::", "::"},
               {"::1", "::1"},
               {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
               {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
               {"fe80::", "fe80::"},
               {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
               {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
               {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"}};
  for (const auto& c : kGood) {
    CAPTURE(c.in);
    const auto address = parse_address(c.in);
    REQUIRE(address);
    CHECK(to_string(*address) == c.out);
  }
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1..2.3", ":", ":::", "1:2", "1:2:3:4:5:6:7:8:9",
                          "1::2::3", "12345::", "fe80::1%eth0", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "1:", ":1:2:3:4:5:6:7", "g::"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_address(bad));
  }
}

TEST_CASE("a prefix knows its network, its host bits and what it covers") {
  const Prefix p{*parse_address("192.168.100.15"), 24};
  CHECK(p.has_host_bits());
  CHECK(to_string(network_of(p)) == "192.168.100.0/24");
  CHECK(p.covers(*parse_address("192.168.100.254")));
  CHECK_FALSE(p.covers(*parse_address("192.168.101.1")));
  CHECK_FALSE(p.covers(*parse_address("::1")));
  CHECK(default_prefix(Family::ipv4).covers(p));
  CHECK_FALSE(p.covers(default_prefix(Family::ipv4)));
  const Prefix six{*parse_address("2001:db8:ffff::"), 33};
  CHECK(to_string(network_of(six)) == "2001:db8:8000::/33");
  CHECK_FALSE(Prefix{*parse_address("::1"), 128}.has_host_bits());
}

TEST_CASE("a netmask has its ones in one piece") {
  CHECK(mask_length(*parse_address("255.255.255.0")) == 24);
  CHECK(mask_length(*parse_address("255.255.255.248")) == 29);
  CHECK(mask_length(*parse_address("0.0.0.0")) == 0);
  CHECK(mask_length(*parse_address("255.255.255.255")) == 32);
  CHECK_FALSE(mask_length(*parse_address("255.0.255.0")));
  CHECK_FALSE(mask_length(*parse_address("0.0.0.255")));
}
