// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include "config/config.hpp"

using namespace longline;
using namespace longline::config;

namespace {

using Findings = std::vector<std::string>;

const std::string kHead = "[connector.x]\ndomains = \"*\"\nhost = \"h\"\nprotocol = \"x400\"\n";

ParsedConfig parse_with(const std::string& more) { return parse_config({{"/etc/longline/longline.toml", kHead + more}}); }

Connector x400_connector(const std::string& more) {
  const ParsedConfig parsed = parse_with(more);
  REQUIRE_MESSAGE(parsed.diagnostics.empty(), parsed.diagnostics.front().message);
  return parsed.config.connectors.at(0);
}

Findings findings_with(const std::string& more) {
  Findings out;
  for (const Diagnostic& d : parse_with(more).diagnostics) out.push_back(std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " " + d.code);
  return out;
}

}  // namespace

TEST_CASE("an X.400 connector has Exchange's values by default") {
  const Connector c = x400_connector("");
  CHECK(c.port == 102);
  CHECK(c.max_open_retries == 144);
  CHECK(c.open_interval == Duration(600'000));
  CHECK(c.max_transfer_retries == 2);
  CHECK(c.transfer_interval == Duration(120'000));
  CHECK(c.x400.checkpoint_size == 30);
  CHECK(c.x400.window == 5);
  CHECK(c.x400.recovery_timeout == Duration(60'000));
  CHECK(c.x400.lifetime == Duration(300'000));
  CHECK(c.x400.disconnect == Duration(120'000));
  CHECK(c.x400.threshold == 50);
  CHECK(c.x400.timeout_urgent == Duration(1'000'000));
  CHECK(c.x400.timeout_normal == Duration(2'000'000));
  CHECK(c.x400.timeout_non_urgent == Duration(3'000'000));
  CHECK(c.x400.mta_name == "");
  CHECK(c.x400.password.empty());
  CHECK(c.x400.content == X400::Content::message);
  CHECK(c.x400.country == "WW");
  CHECK(c.x400.admd == " ");
  CHECK(c.x400.prmd == "");
}

TEST_CASE("preset \"dial-up\" has the values of KB Q255991, and what is said beside it wins") {
  const Connector c = x400_connector("preset = \"dial-up\"\n");
  CHECK(c.x400.checkpoint_size == 15);
  CHECK(c.x400.recovery_timeout == Duration(30'000));
  CHECK(c.max_open_retries == 7);
  CHECK(c.open_interval == Duration(120'000));
  CHECK(c.x400.lifetime == Duration(15'000));
  CHECK(c.x400.disconnect == Duration(15'000));
  CHECK(c.x400.window == 5);
  CHECK(c.x400.threshold == 50);
  const Connector other = x400_connector("open-interval = \"5m\"\ncheckpoint-size = 20\npreset = \"dial-up\"\n");
  CHECK(other.x400.checkpoint_size == 20);
  CHECK(other.open_interval == Duration(300'000));
  CHECK(other.max_open_retries == 7);
}

TEST_CASE("each key of an X.400 connector is read") {
  const Connector c = x400_connector(R"(
port = 10102
source-address = "192.0.2.7"
mta-name = "SITE7"
mta-password-file = "site7.secret"
peer-mta-name = "HUB"
peer-password-command = ["pass", "hub"]
checkpoint-size = 0
window = 3
recovery-timeout = "2m"
max-open-retries = 3
open-interval = "1m"
max-transfer-retries = 5
transfer-interval = "10s"
lifetime = 20
disconnect = "7s"
threshold = 10
transfer-timeout-urgent = "10s"
transfer-timeout-normal = "20s"
transfer-timeout-nonurgent = "30s"
local-domains = ["Site7.example", "*.site7.example"]
country = "DE"
admd = "DBP"
prmd = "Longline"
content = "ipm"
t-selector = "MTA7"
peer-t-selector = "0x00fF20"
)");
  CHECK(c.port == 10102);
  CHECK(c.source_address == "192.0.2.7");
  CHECK(c.x400.mta_name == "SITE7");
  CHECK(c.x400.password.file == "/etc/longline/site7.secret");
  CHECK(c.x400.peer_mta_name == "HUB");
  CHECK(c.x400.peer_password.command == std::vector<std::string>{"pass", "hub"});
  CHECK(c.x400.checkpoint_size == 0);
  CHECK(c.x400.window == 3);
  CHECK(c.x400.recovery_timeout == Duration(120'000));
  CHECK(c.max_open_retries == 3);
  CHECK(c.open_interval == Duration(60'000));
  CHECK(c.max_transfer_retries == 5);
  CHECK(c.transfer_interval == Duration(10'000));
  CHECK(c.x400.lifetime == Duration(20'000));
  CHECK(c.x400.disconnect == Duration(7'000));
  CHECK(c.x400.threshold == 10);
  CHECK(c.x400.timeout_urgent == Duration(10'000));
  CHECK(c.x400.timeout_normal == Duration(20'000));
  CHECK(c.x400.timeout_non_urgent == Duration(30'000));
  CHECK(c.x400.local_domains == std::vector<std::string>{"site7.example", "*.site7.example"});
  CHECK(c.x400.country == "DE");
  CHECK(c.x400.admd == "DBP");
  CHECK(c.x400.prmd == "Longline");
  CHECK(c.x400.content == X400::Content::ipm);
  CHECK(c.x400.t_selector == "MTA7");
  CHECK(c.x400.peer_t_selector == std::string("\0\xff ", 3));
}

TEST_CASE("what an X.400 peer could not be told is an error") {
  CHECK(findings_with("mta-name = \"0123456789012345678901234567890\"\n") == Findings{});
  CHECK(findings_with("mta-name = \"012345678901234567890123456789012\"\n") == Findings{"5:12 bad-value"});
  CHECK(findings_with("mta-name = \"\"\n") == Findings{"5:12 bad-value"});
  CHECK(findings_with("peer-mta-name = \"M\u00fcnchen\"\n") == Findings{"5:17 bad-value"});
  CHECK(findings_with("checkpoint-size = -1\n") == Findings{"5:19 out-of-range"});
  CHECK(findings_with("checkpoint-size = 1025\n") == Findings{"5:19 out-of-range"});
  CHECK(findings_with("window = 0\n") == Findings{"5:10 out-of-range"});
  CHECK(findings_with("country = \"Germany\"\n") == Findings{"5:11 bad-value"});
  CHECK(findings_with("country = \"262\"\n") == Findings{});
  CHECK(findings_with("admd = \"a_b\"\n") == Findings{"5:8 bad-value"});
  CHECK(findings_with("prmd = \"12345678901234567\"\n") == Findings{"5:8 bad-value"});
  CHECK(findings_with("content = \"ipn\"\n") == Findings{"5:11 bad-value"});
  CHECK(findings_with("preset = \"dialup\"\n") == Findings{"5:10 bad-value"});
  CHECK(findings_with("t-selector = \"0x123\"\n") == Findings{"5:14 bad-value"});
  CHECK(findings_with("t-selector = \"0x1g\"\n") == Findings{"5:14 bad-value"});
  CHECK(findings_with("t-selector = \"0x\"\n") == Findings{"5:14 bad-value"});
  CHECK(findings_with("t-selector = \"123456789012345678901234567890123\"\n") == Findings{"5:14 bad-value"});
  CHECK(findings_with("mta-password-file = \"a\"\nmta-password-command = [\"b\"]\n") == Findings{"6:24 conflict"});
}

TEST_CASE("keys of the other protocol are named as such") {
  CHECK(findings_with("helo = \"a\"\ntls = \"none\"\n") == Findings{"5:8 smtp-only", "6:7 smtp-only"});
  CHECK(findings_with("retrieve = { by = \"turn\" }\n") == Findings{"5:12 smtp-only"});
  const auto smtp = [](const std::string& more) {
    Findings out;
    for (const Diagnostic& d : parse_config({{"/l.toml", "[connector.x]\ndomains = \"*\"\n" + more}}).diagnostics) out.push_back(d.code);
    return out;
  };
  CHECK(smtp("host = \"h\"\nmta-name = \"a\"\nwindow = 3\n") == Findings{"needs-x400", "needs-x400"});
  CHECK(smtp("host = \"mx\"\nprotocol = \"x400\"\n") == Findings{"conflict"});
  CHECK(smtp("host = \"h\"\nprotocol = \"x400\"\nmta-nam = \"a\"\n") == Findings{"unknown-key"});
}
