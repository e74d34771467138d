// SPDX-License-Identifier: MIT
#include "config/client_networks.hpp"

#include <doctest/doctest.h>

#include "config/config.hpp"

using namespace longline;
using namespace longline::config;

TEST_CASE("clients are in a network or not") {
  ClientNetworks networks;
  for (const char* network : {"192.0.2.0/25", "10.0.0.1", "2001:db8::/33", "fe80::/10", "::1"}) REQUIRE(networks.add(network));
  for (const char* in : {"192.0.2.127", "::ffff:192.0.2.5", "10.0.0.1", "2001:db8:7fff::1", "fe80::1%eth0", "::1", "0:0:0:0:0:0:0:1"}) {
    CAPTURE(in);
    CHECK(networks.contain(in));
  }
  for (const char* out : {"192.0.2.128", "10.0.0.2", "2001:db8:8000::1", "::2", "", "line", "1.2.3", "::ffff:192.0.2.200", "1:2:3:4:5:6:7:8:9", "::g"}) {
    CAPTURE(out);
    CHECK_FALSE(networks.contain(out));
  }
  CHECK_FALSE(ClientNetworks().contain("127.0.0.1"));
  ClientNetworks all;
  CHECK(all.add("0.0.0.0/0"));
  CHECK(all.contain("198.51.100.1"));
  CHECK_FALSE(all.contain("2001:db8::1"));
}

TEST_CASE("what is no network is refused") {
  ClientNetworks networks;
  for (const char* bad : {"", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2", "2001:db8::1/32", "::/129", "host.example",
                          "1::2::3", "01.2.3.4", "1:2:3:4:5:6:7"}) {
    CAPTURE(bad);
    CHECK_FALSE(networks.add(bad));
  }
}

TEST_CASE("what is received goes to one place, and relaying is for those who are named") {
  const auto findings = [](std::string text) {
    std::string out;
    for (const Diagnostic& d : parse_config({{"/etc/longline/longline.toml", std::move(text)}}).diagnostics) out += d.code + " ";
    return out;
  };
  const ParsedConfig good = parse_config({{"/etc/longline/longline.toml", "relay-domains = [\"Far.example\"]\nrelay-from = [\"192.0.2.0/24\", \"::1\"]\n"
                                                                          "[receive]\nmaildir = \"Maildir\"\n"}});
  CHECK(good.diagnostics.empty());
  CHECK(good.config.receive.maildir == "/etc/longline/Maildir");
  CHECK(good.config.relay_domains == std::vector<std::string>{"far.example"});
  CHECK(findings("[receive]\nlmtp = \"/run/lmtp\"\n") == "");
  CHECK(findings("[receive]\nlmtp = \"lmtp\"\n") == "bad-value ");
  CHECK(findings("[receive]\nlmtp = \"[::1]:24\"\ncommand = [\"x\"]\n") == "conflict ");
  CHECK(findings("[receive]\ncommand = []\n") == "bad-value ");
  CHECK(findings("relay-from = [\"192.0.2.1/24\"]\n") == "bad-value ");
}
