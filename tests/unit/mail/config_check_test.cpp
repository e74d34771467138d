// SPDX-License-Identifier: MIT
#include "mail/config_check.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::mail;

namespace {

std::string codes(const std::string& text, const std::string& host = "site7.example") {
  const config::ParsedConfig parsed = config::parse_config({{"/etc/longline/longline.toml", text}});
  REQUIRE_FALSE(has_errors(parsed.diagnostics));
  std::string out;
  for (const ConfigFinding& f : check_config(parsed.config, host)) {
    out += (f.connector.empty() ? "" : f.connector + ":") + f.code + (f.severity == Severity::error ? "! " : " ");
    CHECK_FALSE(f.message.empty());
    CHECK_FALSE(f.advice.empty());
  }
  return out;
}

constexpr const char* kStream = "[link.isp]\nport = \"/dev/ttyS0\"\nnumbers = [\"1\"]\nnetwork = \"stream\"\n";

std::string hub(const std::string& more) { return "[connector.hub]\ndomains = [\"*\"]\n" + more; }

}  // namespace

TEST_CASE("names that a peer compares (KB Q158279)") {
  CHECK(codes(hub("host = \"h\"\nhelo = \"SITE7.example\"\n")) == "");
  CHECK(codes(hub("host = \"h\"\nhelo = \"other.example\"\n")) == "hub:helo-not-host ");
  CHECK(codes(hub("host = \"h\"\n"), "site7") == "short-host-name ");
  CHECK(codes("", "site7") == "");
}

TEST_CASE("connectors that reach nothing, or take each other's mail") {
  CHECK(codes(kStream + hub("host = \"line\"\nlink = \"isp\"\n")) == "");
  CHECK(codes(kStream + hub("host = \"h\"\nlink = \"isp\"\n")) == "hub:no-network! ");
  CHECK(codes(hub("host = \"h\"\n") + "[connector.zoo]\ndomains = [\"*\", \"zoo.example\"]\nhost = \"z\"\n") == "zoo:same-cost ");
  CHECK(codes(hub("host = \"h\"\n") + "[connector.zoo]\ndomains = [\"*\"]\ncost = 20\nhost = \"z\"\n") == "");
}

TEST_CASE("retrievals that cannot work, or would give mail to anybody") {
  const std::string local = "local-domains = [\"a.example\"]\n";
  CHECK(codes(hub("host = \"h\"\nretrieve = { by = \"etrn\", domains = [\"a.example\"] }\n")) == "hub:no-local-domains ");
  CHECK(codes(local + kStream + hub("host = \"line\"\nlink = \"isp\"\nretrieve = { by = \"etrn\", domains = [\"a.example\"] }\n")) == "hub:etrn-on-line! ");
  CHECK(codes(local + hub("host = \"h\"\nretrieve = { by = \"atrn\" }\n")) == "hub:no-login! ");
  CHECK(codes(local + hub("host = \"h\"\nretrieve = { by = \"turn\" }\n")) == "hub:unsafe-turn! ");
  CHECK(codes(hub("host = \"h\"\nretrieve = { by = \"command\", command = [\"x\"] }\n")) == "");
}

TEST_CASE("open relays") {
  CHECK(codes("relay-from = [\"::/0\", \"10.0.0.0/8\"]\n") == "open-relay! ");
  CHECK(codes("relay-domains = [\"*\", \"*.a.example\"]\n") == "open-relay! ");
}

TEST_CASE("X.400: what the peers compare when they bind, and what a cut would cost") {
  const std::string local = "local-domains = [\"a.example\"]\n";
  const std::string head = "host = \"h\"\nprotocol = \"x400\"\n";
  CHECK(codes(local + hub(head + "peer-mta-name = \"HUB\"\n")) == "");
  CHECK(codes(local + hub(head)) == "hub:any-peer ");
  CHECK(codes(hub(head + "peer-mta-name = \"HUB\"\n")) == "hub:no-local-domains ");
  CHECK(codes(hub(head + "peer-mta-name = \"HUB\"\nlocal-domains = \"b.example\"\n")) == "");
  CHECK(codes(local + hub(head + "peer-mta-name = \"HUB\"\ncheckpoint-size = 0\n")) == "hub:no-checkpoints ");
  const std::string host = "a-host-with-a-rather-long-name.example";
  CHECK(codes(local + hub(head + "peer-mta-name = \"HUB\"\n"), host) == "hub:mta-name-too-long! ");
  CHECK(codes(local + hub(head + "peer-mta-name = \"HUB\"\nmta-name = \"SITE7\"\n"), host) == "");
}
