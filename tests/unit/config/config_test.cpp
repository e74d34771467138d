// SPDX-License-Identifier: MIT
#include "config/config.hpp"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

using namespace longline;
using namespace longline::config;

namespace {

ParsedConfig parse(std::string text) { return parse_config({{"/etc/longline/longline.toml", std::move(text)}}); }

constexpr const char* kLink = "[link.isp]\nport = \"/dev/ttyS0\"\nnumbers = [\"5551234\"]\n";

/// "line:column code" of every diagnostic.
std::vector<std::string> findings(const ParsedConfig& parsed) {
  std::vector<std::string> out;
  for (const Diagnostic& d : parsed.diagnostics) {
    out.push_back(std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " " + d.code);
  }
  return out;
}

using Findings = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty configuration is one, and so is none") {
  CHECK(parse("").diagnostics.empty());
  CHECK(parse_config({}).diagnostics.empty());
}

TEST_CASE("the design's example reads as meant") {
  const ParsedConfig parsed = parse(R"(
local-domains = ["Site7.example.com"]
[link.isp]
port = "tcp:modems.example.com:2001"
speed = 57600
framing = "7E1"
flow = "none"
init = ["ATZ", "ATE0V1Q0X4&C1&D2"]
numbers = ["0298765432", "0298765433"]
dial-timeout = "45s"
attempts = 2
interval = 5
script = "ozemail.scp"
login-timeout = "2m"
user = "alice"
password-file = "isp.secret"
network = "stream"
[connector.hub]
domains = ["Example.com", "*.example.com"]
cost = 5
link = "isp"
host = "line"
peer-name = "mail.example.com"
expire = "3d"
)");
  REQUIRE_MESSAGE(parsed.diagnostics.empty(), parsed.diagnostics.front().message);
  const Link& link = *parsed.config.find_link("isp");
  CHECK(link.speed == 57600);
  CHECK(link.dial_timeout == Duration(45'000));
  CHECK(link.interval == Duration(5'000));
  CHECK(link.script == "/etc/longline/ozemail.scp");
  CHECK(link.password.file == "/etc/longline/isp.secret");
  CHECK(link.password.where.line == 16);
  CHECK(link.network == Network::stream);
  const Connector& hub = *parsed.config.find_connector("hub");
  CHECK(hub.domains == std::vector<std::string>{"example.com", "*.example.com"});
  CHECK(hub.expire == Duration(3 * 86'400'000LL));
  CHECK(parsed.config.local_domains == std::vector<std::string>{"site7.example.com"});
}

TEST_CASE("what answering needs is read and checked") {
  const ParsedConfig parsed = parse(kLink + std::string("pool = \"192.168.1.0/29\"\nrings = 3\nforward = true\nauthenticate-peer = true\n"
                                                        "caller-password-command = [\"pass\", \"branch\"]\n"));
  CHECK(findings(parsed) == Findings{});
  const Link& link = parsed.config.links.front();
  CHECK(link.pool == "192.168.1.0/29");
  CHECK(link.rings == 3);
  CHECK(link.forward);
  CHECK(link.authenticate_peer);
  CHECK(link.caller_password.command == std::vector<std::string>{"pass", "branch"});
  for (const char* bad : {"pool = \"192.168.1.1/29\"", "pool = \"a network\"", "pool = 5", "rings = 0", "rings = \"2\"", "forward = 1"}) {
    CAPTURE(bad);
    CHECK(has_errors(parse(std::string(kLink) + bad + "\n").diagnostics));
  }
}

TEST_CASE("hours, backoff, budget and tariff are checked") {
  const std::string policy = R"(hours = ["Mo-Fr 06:00-22:00", "Sa,Su 08:00-24:00"]
backoff = "10m..6h"
budget = { calls-per-day = 40, cost-per-month = 40.0 }
tariff = { setup = 0.10, per-minute = 1, increment = "60s" }
)";
  const ParsedConfig parsed = parse(kLink + policy);
  CHECK(findings(parsed) == Findings{});
  const Link& link = parsed.config.links.front();
  REQUIRE(link.hours.size() == 2);
  CHECK(link.hours[0].days == 0b0111110);
  CHECK(link.hours[0].from == 360);
  CHECK(link.hours[1].days == 0b1000001);
  CHECK(link.hours[1].until == 1440);
  CHECK(link.backoff->longest == Duration(21'600'000));
  CHECK(link.budget.calls_per_day == 40);
  CHECK_FALSE(link.budget.minutes_per_day);
  for (const char* bad : {"hours = [\"Mo-Fr\"]", "hours = [\"Xx 06:00-07:00\"]", "hours = [\"Mo 07:00-06:00\"]",
                          "hours = [\"Mo 06:00-24:01\"]", "backoff = \"6h..10m\"", "backoff = \"often\"",
                          "budget = { calls = 4 }", "budget = 5", "hours = []", "urgent-any-hour = 1",
                          "tariff = { setup = \"x\" }", "tariff = { setup = -1 }"}) {
    CAPTURE(bad);
    CHECK(has_errors(parse(std::string(kLink) + bad + "\n").diagnostics));
  }
}

TEST_CASE("an unknown key is named with its place and its neighbour") {
  const ParsedConfig parsed = parse(std::string(kLink) + "  attemps = 3\n");
  REQUIRE(parsed.diagnostics.size() == 1);
  const Diagnostic& d = parsed.diagnostics.front();
  CHECK(d.code == "unknown-key");
  CHECK(d.where.line == 4);
  CHECK(d.where.column == 3);
  CHECK(d.message == "link 'isp': unknown key 'attemps'; did you mean 'attempts'?");
  CHECK(findings(parse("[lnik.isp]\nport = \"/dev/x\"\n")) == Findings{"1:2 unknown-key"});
}

TEST_CASE("every mistake is found in one run, each at its place") {
  const ParsedConfig parsed = parse(R"([link.isp]
port = 5
numbers = ["1\r2", 7]
speed = "fast"
flow = "rtscst"
dial-timeout = "soon"
attempts = 0
framing = "9N1"
[connector.hub]
domains = ["ex ample.com"]
link = "ips"
host = "line"
)");
  CAPTURE(fmt::format("{}", fmt::join(findings(parsed), ", ")));
  CHECK(findings(parsed) == Findings{"2:8 wrong-type", "3:11 wrong-type", "4:9 wrong-type", "5:8 bad-value",
                                     "6:16 bad-value", "7:12 out-of-range", "8:11 bad-value", "10:11 bad-value",
                                     "11:8 dangling-link"});
}

TEST_CASE("TOML that is none says where") {
  const ParsedConfig parsed = parse("[link.isp\nport = 1\n");
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.diagnostics.front().code == "syntax");
  CHECK(parsed.diagnostics.front().where.line == 1);
}

TEST_CASE("keys that must be there are missed") {
  CHECK(findings(parse("[link.isp]\n")) == Findings{"1:1 missing-key", "1:1 missing-key"});
  CHECK(findings(parse("[connector.hub]\n")) == Findings{"1:1 missing-key", "1:1 missing-key"});
  CHECK(parse("[link.wire]\nport = \"/dev/ttyS1\"\nmodem = \"none\"\n").diagnostics.empty());
}

TEST_CASE("a host that is the line needs a stream link") {
  const std::string connector = "[connector.hub]\ndomains = \"*\"\nlink = \"isp\"\nhost = \"line\"\n";
  CHECK(findings(parse(std::string(kLink) + connector)) == Findings{"6:8 not-a-stream"});
  CHECK(findings(parse(std::string(kLink) + "network = \"stream\"\n" + connector)).empty());
  CHECK(findings(parse("[connector.hub]\ndomains = \"*\"\nhost = \"line\"\n")) == Findings{"3:8 conflict"});
}

TEST_CASE("the same name in two files is an error in the second") {
  const ParsedConfig parsed = parse_config({{"/a.toml", kLink}, {"/b.toml", kLink}});
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.diagnostics.front().where.file == "/b.toml");
  CHECK(parsed.diagnostics.front().code == "defined-twice");
}

TEST_CASE("no number can smuggle a command to the modem") {
  for (const char* bad : {"1\\r2", "1\\nATZ", "", "1\\u0000"}) {
    const ParsedConfig parsed =
        parse(std::string("[link.a]\nport = \"/dev/ttyS0\"\nnumbers = [\"") + bad + "\"]\n");
    CHECK(has_errors(parsed.diagnostics));
  }
}

TEST_CASE("a cellular modem needs no number, and dials otherwise") {
  const ParsedConfig parsed = parse("[link.a]\nport = \"/dev/ttyUSB0\"\nmodem = \"gsm\"\n");
  REQUIRE(parsed.diagnostics.empty());
  const Link& link = parsed.config.links.front();
  CHECK(link.numbers == std::vector<std::string>{"*99***1#"});
  CHECK(link.dial == "ATD");
  CHECK_FALSE(link.roaming);
  CHECK(link.registration_timeout == Duration(60'000));
  const ParsedConfig given = parse(
      "[link.a]\nport = \"/dev/ttyUSB0\"\nmodem = \"gsm\"\nnumbers = [\"*99#\"]\ndial = \"ATDT\"\napn = \"internet\"\npin-file = \"sim.pin\"\n"
      "roaming = true\nregistration-timeout = \"3m\"\nreset-command = [\"/sbin/reset\", \"1\"]\n");
  REQUIRE(given.diagnostics.empty());
  CHECK(given.config.links.front().dial == "ATDT");
  CHECK(given.config.links.front().pin.file == "/etc/longline/sim.pin");
  CHECK(given.config.links.front().reset_command == std::vector<std::string>{"/sbin/reset", "1"});
}

TEST_CASE("what is wrong about a cellular modem has its place") {
  const std::string gsm = "[link.a]\nport = \"/dev/ttyUSB0\"\nmodem = \"gsm\"\n";
  CHECK(findings(parse(gsm + "apn = \"a\\\"b\"\n")) == Findings{"4:7 bad-value"});
  CHECK(findings(parse(gsm + "apn = \"\"\n")) == Findings{"4:7 bad-value"});
  CHECK(findings(parse(gsm + "pin-file = \"x\"\npin-command = [\"y\"]\n")) == Findings{"5:15 conflict"});
  CHECK(findings(parse(gsm + "registration-timeout = \"0s\"\n")) == Findings{"4:24 out-of-range"});
  CHECK(findings(parse(gsm + "reset-command = \"reboot\"\n")).size() == 1);
  const ParsedConfig hayes = parse(std::string(kLink) + "apn = \"internet\"\n");
  REQUIRE(hayes.diagnostics.size() == 1);
  CHECK(hayes.diagnostics.front().severity == Severity::warning);
}

TEST_CASE("a connector's policy reads as meant") {
  const ParsedConfig parsed = parse(std::string(kLink) + R"(
[connector.world]
domains = "*"
host = "mx"
link = "isp"
nameserver = "192.0.2.53:5353"
max-open-retries = 0
open-interval = "5m"
max-transfer-retries = 4
transfer-interval = "30s"
hours = ["Mo-Fr 06:00-22:00", "Sa 08:00-12:00"]
expire = "2d"
delay-warning = 0
due-messages = 5
due-bytes = "200k"
due-oldest = "2h"
due-urgent = true
)");
  REQUIRE_MESSAGE(parsed.diagnostics.empty(), parsed.diagnostics.front().message);
  const Connector& c = parsed.config.connectors[0];
  REQUIRE(c.nameserver);
  CHECK(c.nameserver->address == "192.0.2.53");
  CHECK(c.nameserver->port == 5353);
  CHECK(c.max_open_retries == 0);
  CHECK(c.open_interval == Duration(300'000));
  CHECK(c.max_transfer_retries == 4);
  CHECK(c.transfer_interval == Duration(30'000));
  CHECK(c.hours.size() == 2);
  CHECK(c.delay_warning == Duration(0));
  CHECK(c.due.messages == 5);
  CHECK(c.due.bytes == 200'000);
  CHECK(c.due.oldest == Duration(7'200'000));
  CHECK(c.due.urgent);
  const Connector x400 = parse("[connector.x]\ndomains = \"*\"\nhost = \"h\"\nprotocol = \"x400\"\n").config.connectors[0];
  CHECK(x400.max_open_retries == 144);
  CHECK(x400.open_interval == Duration(600'000));
}

TEST_CASE("what makes no sense for a connector is said") {
  const std::string head = "[connector.world]\ndomains = \"*\"\n";
  CHECK(findings(parse(head + "host = \"mx\"\nnameserver = \"ns.example.com\"\n")) == Findings{"4:14 bad-value"});
  CHECK(findings(parse(head + "host = \"mx\"\nhours = \"never\"\n")) == Findings{"4:9 bad-value"});
  CHECK(findings(parse(head + "host = \"h\"\nnameserver = \"192.0.2.53\"\n")) == Findings{"4:14 no-effect"});
  CHECK(findings(parse(head + "host = \"h\"\ndue-messages = 3\n")) == Findings{"4:16 no-effect"});
  CHECK(findings(parse(head + "host = \"mx\"\nlink = \"isp\"\n" + kLink + "network = \"stream\"\n")) == Findings{"4:8 not-a-network"});
}

TEST_CASE("a name server is an IP address, with or without a port") {
  const auto shown = [](std::string_view text) {
    const auto parsed = parse_name_server(text);
    return parsed ? parsed->address + " " + std::to_string(parsed->port) : "no";
  };
  CHECK(shown("192.0.2.53") == "192.0.2.53 53");
  CHECK(shown("192.0.2.53:5353") == "192.0.2.53 5353");
  CHECK(shown("2001:db8::53") == "2001:db8::53 53");
  CHECK(shown("[2001:db8::53]") == "2001:db8::53 53");
  CHECK(shown("[2001:db8::53]:5353") == "2001:db8::53 5353");
  for (const char* bad : {"", ":53", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", "[2001:db8::53", "[2001:db8::53]53", "ns.example.com", "[]:53"}) {
    CAPTURE(bad);
    CHECK(shown(bad) == "no");
  }
}

TEST_CASE("TLS of a connector") {
  const std::string start = "[connector.hub]\ndomains = \"*\"\nhost = \"mail.example.com\"\n";
  const ParsedConfig parsed = parse(start + R"(tls = "implicit"
tls-ca-file = "ours.pem"
tls-verify = false
tls-certificate = "/etc/ssl/site7.pem"
tls-key = "site7.key"
allow-plain-auth = true
)");
  REQUIRE(parsed.diagnostics.empty());
  const Connector& hub = *parsed.config.find_connector("hub");
  CHECK(hub.tls == TlsMode::implicit);
  CHECK(hub.port == 465);
  CHECK(hub.tls_ca_file == "/etc/longline/ours.pem");
  CHECK(hub.tls_certificate == "/etc/ssl/site7.pem");
  CHECK(hub.tls_key == "/etc/longline/site7.key");
  CHECK_FALSE(hub.tls_verify);
  CHECK(hub.allow_plain_auth);
  CHECK(parse(start + "tls = \"implicit\"\nport = 4465\n").config.find_connector("hub")->port == 4465);
  CHECK(findings(parse(start + "tls-key = \"k\"\n")) == Findings{"4:11 conflict"});
  CHECK(findings(parse(start + "tls-ca-file = \"\"\n")) == Findings{"4:15 bad-value"});
  const std::string line = std::string(kLink) + "network = \"stream\"\n[connector.hub]\ndomains = \"*\"\nlink = \"isp\"\nhost = \"line\"\ntls = \"required\"\n";
  CHECK(findings(parse(line)) == Findings{"9:7 conflict"});
  CHECK(findings(parse(line + "peer-name = \"mail.example.com\"\n")).empty());
}
