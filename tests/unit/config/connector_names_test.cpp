// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "config/config.hpp"

using namespace longline;
using namespace longline::config;

namespace {

/// "line:column code" of every error, one behind the other.
std::string errors(const std::string& text) {
  std::string out;
  for (const Diagnostic& d : parse_config({{"/l.toml", text}}).diagnostics) {
    if (d.severity == Severity::error) out += std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " " + d.code + "\n";
  }
  return out;
}

std::string connector(const std::string& more) { return "[connector.hub]\ndomains = [\"*\"]\nhost = \"h\"\n" + more + "\n"; }

}  // namespace

TEST_CASE("helo and peer-name are names of hosts, or address literals") {
  for (const std::string key : {"helo", "peer-name"}) {
    for (const std::string bad : {"", " ", "bad name", "a..b", ".a", "a.", "-a", "a-.b", "a;b", "a,b", "*.example.com", "[192.0.2.300]", "[x", "[]",
                                  R"(x\r\nQUIT)", R"(x\n)", R"(x\u0000)", R"(x\u007f)", R"(a\tb)"}) {
      CAPTURE(bad);
      CHECK(errors(connector(key + " = \"" + bad + "\"")) == "4:" + std::to_string(key.size() + 4) + " bad-value\n");
    }
    for (const std::string good : {"a", "Site7.example.com", "a-b.c_d.example", "_x", "7.example", "192.0.2.7", "[192.0.2.7]", "[IPv6:2001:db8::1]",
                                   "münchen.example"}) {
      CAPTURE(good);
      CHECK(errors(connector(key + " = \"" + good + "\"")) == "");
    }
    CHECK(errors(connector(key + " = \"" + std::string(64, 'a') + ".example\"")) != "");
    std::string long_name = "example";
    while (long_name.size() <= 255) long_name += ".example";
    CHECK(errors(connector(key + " = \"" + long_name + "\"")) != "");
  }
}

TEST_CASE("source-address is an address") {
  for (const std::string bad : {"", "no", "192.0.2", "192.0.2.256", "192.0.2.07", "192.0.2.7 ", "192.0.2.7%eth0", "[2001:db8::1]", "2001:db8::1::2", "fe80::1%",
                                "fe80::1%a b", R"(192.0.2.7\r\n)"}) {
    CAPTURE(bad);
    CHECK(errors(connector("source-address = \"" + bad + "\"")) == "4:18 bad-value\n");
    CHECK(errors(connector("protocol = \"x400\"\nsource-address = \"" + bad + "\"")) == "5:18 bad-value\n");
  }
  for (const std::string good : {"192.0.2.7", "2001:db8::7", "::1", "::ffff:192.0.2.7", "fe80::1%eth0"}) {
    CAPTURE(good);
    CHECK(errors(connector("source-address = \"" + good + "\"")) == "");
  }
}

TEST_CASE("domains are there, and are domains or patterns") {
  const auto with = [](const std::string& domains) { return errors("[connector.hub]\ndomains = " + domains + "\nhost = \"h\"\n"); };
  for (const char* bad : {"[]", "[\"\"]", "\"\"", "[\"a..b\"]", "[\"*.\"]", "[\"*.*.example\"]", "[\"a.*\"]", "[\".example\"]", "[\"example.\"]", "[\"a b\"]",
                          "[\"-a.example\"]", "[\"a]b\"]", "[\"*.[192.0.2.7]\"]", "[\"[192.0.2.7\"]", R"(["a.example\r\nQUIT"])", R"("a\n")"}) {
    CAPTURE(bad);
    CHECK(with(bad) == "2:11 bad-value\n");
  }
  for (const char* good : {"\"*\"", "[\"*\"]", "[\"Example.com\", \"*.example.com\"]", "[\"a_b.example\"]", "[\"jörg.example\"]", "[\"[192.0.2.7]\"]",
                           "[\"[IPv6:2001:db8::1]\"]", "[\"localhost\"]"}) {
    CAPTURE(good);
    CHECK(with(good) == "");
  }
  CHECK(errors("local-domains = []\nrelay-domains = []\n") == "");
  CHECK(errors("local-domains = [\"a..b\"]\nrelay-domains = [\"*.\"]\n") == "1:17 bad-value\n2:17 bad-value\n");
  CHECK(errors(connector("retrieve = { by = \"etrn\", domains = [\"a..b\"] }")) == "4:37 bad-value\n");
}

TEST_CASE("a host is a name or an address") {
  const auto with = [](const std::string& host) { return errors("[connector.hub]\ndomains = [\"*\"]\nhost = \"" + host + "\"\n"); };
  for (const char* bad : {"", "a b", "a..b", ".", "-h", "h:25", "[::1]", R"(h\r\nQUIT)", R"(h\u0000)"}) {
    CAPTURE(bad);
    CHECK(with(bad) == "3:8 bad-value\n");
  }
  for (const char* good : {"h", "mail.example.com", "mail.example.com.", "mx", "192.0.2.7", "::1", "fe80::1%eth0", "bücher.example"}) {
    CAPTURE(good);
    CHECK(with(good) == "");
  }
}

TEST_CASE("nothing that is said on a line holds a line end") {
  for (const char* key : {"user", "helo", "peer-name", "nameserver"}) {
    for (const char* value : {R"("a\rb")", R"("a\nb")", R"("a\u0000b")", "\"\"\"\na\nb\"\"\""}) {
      CAPTURE(key);
      CAPTURE(value);
      CHECK(errors(connector(key + std::string(" = ") + value)).find(" bad-value\n") != std::string::npos);
    }
  }
  const std::string link = "[link.isp]\nport = \"/dev/ttyS0\"\nnumbers = [\"1\"]\n";
  for (const char* bad : {R"(user = "a\rb")", R"(dial = "ATDT\r")", R"(init = ["ATZ\rATH"])", R"(init = "ATZ\n")", R"(modem = "gsm\n")",
                          "modem = \"gsm\"\napn = \"a\\nb\""}) {
    CAPTURE(bad);
    CHECK(errors(link + bad + "\n").find(" bad-value\n") != std::string::npos);
  }
  CHECK(errors("[link.isp]\nport = \"tcp:h\\r\\n:2001\"\nnumbers = [\"1\"]\n") == "2:8 bad-value\n");
  CHECK(errors("[link.isp]\nport = \"/dev/ttyS0\"\nnumbers = [\"1\\rATH\"]\n") == "3:11 bad-value\n");
  CHECK(errors("postmaster = \"a\\r\\nb\"\n") == "1:14 bad-value\n");
  CHECK(errors("[link.\"a\\nb\"]\nport = \"/dev/ttyS0\"\nnumbers = [\"1\"]\n") == "1:7 bad-name\n");
  CHECK(errors("[connector.\"a\\rb\"]\ndomains = [\"*\"]\nhost = \"h\"\n") == "1:12 bad-name\n");
  // A program's arguments are its own: a script of several lines is one.
  CHECK(errors(connector("user = \"u\"\npassword-command = [\"sh\", \"-c\", \"echo\\necho\"]")) == "");
}
