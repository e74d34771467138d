// SPDX-License-Identifier: MIT
#include "config/address_pool.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::config;

TEST_CASE("a pool gives our end the first address and callers the rest") {
  const AddressPool small = *AddressPool::parse("192.168.1.0/29");
  CHECK(format_ipv4(small.our_end()) == "192.168.1.1");
  CHECK(small.callers() == 5);
  CHECK(format_ipv4(small.caller(0)) == "192.168.1.2");
  CHECK(format_ipv4(small.caller(4)) == "192.168.1.6");
  const AddressPool large = *AddressPool::parse("10.9.8.0/24");
  CHECK(large.callers() == 253);
  CHECK(format_ipv4(large.caller(252)) == "10.9.8.254");
  CHECK(AddressPool::parse("10.9.8.4/30")->callers() == 1);
  CHECK(AddressPool::parse("172.16.0.0/16")->callers() == 65533);
}

TEST_CASE("what is no pool says why") {
  for (const char* text : {"", "/", "192.168.1.0", "192.168.1/29", "192.168.1.0/", "192.168.1.0/2x", "192.168.1.0/-1", "192.168.1.0/33", "192.168.01.0/29",
                           "192.168.1.256/29", "192.168.1.0.0/29", "fd00::/64", "192.168.1.0/29 ", "192.168.1.0/31", "192.168.1.0/32", "10.0.0.0/8",
                           "0.0.0.0/24", "127.0.0.0/24", "224.0.0.0/24", "255.255.255.0/24"}) {
    CAPTURE(text);
    const Result<AddressPool> pool = AddressPool::parse(text);
    REQUIRE_FALSE(pool);
    CHECK(pool.error().code == Errc::malformed);
  }
  CHECK(AddressPool::parse("192.168.1.1/29").error().what.find("192.168.1.0/29") != std::string::npos);
}
