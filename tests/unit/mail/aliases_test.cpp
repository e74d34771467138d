// SPDX-License-Identifier: MIT
#include "mail/aliases.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::mail;

namespace {

constexpr std::string_view kHost = "site7.example";
using List = std::vector<std::string>;

}  // namespace

TEST_CASE("names stand for names, for addresses and for several") {
  const Aliases aliases("# who\nPostmaster: root\nroot: alice, bob@Far.example\n  , carol\n\n\"odd name\": dave\n");
  CHECK(aliases.complaints().empty());
  CHECK(aliases.expand("postmaster@site7.example", kHost) == List{"alice@site7.example", "bob@far.example", "carol@site7.example"});
  CHECK(aliases.expand("ROOT@SITE7.example", kHost).size() == 3);
  CHECK(aliases.expand("root@far.example", kHost) == List{"root@far.example"});
  CHECK(aliases.expand("\"odd name\"@site7.example", kHost) == List{"dave@site7.example"});
  CHECK(aliases.expand("eve@site7.example", kHost) == List{"eve@site7.example"});
}

TEST_CASE("loops end, and a name in its own list is itself") {
  const Aliases aliases("a: b\nb: c\nc: a\nroot: root, x@y.example\nd: a, e\n");
  CHECK(aliases.expand("a@site7.example", kHost) == List{"a@site7.example"});
  CHECK(aliases.expand("root@site7.example", kHost) == List{"root@site7.example", "x@y.example"});
  CHECK(aliases.expand("d@site7.example", kHost) == List{"e@site7.example"});
}

TEST_CASE("what is not followed is said, at its line") {
  const Aliases aliases("x: |/bin/sh\n\ny: /dev/null, z\nno colon\n: nobody\nz: :include:/etc/list, \"| prog, with comma\"\nz: again\n");
  std::string lines;
  for (const Aliases::Complaint& c : aliases.complaints()) lines += std::to_string(c.line) + " ";
  CHECK(lines == "1 1 3 4 5 6 6 6 ");
  CHECK(aliases.expand("x@site7.example", kHost) == List{"x@site7.example"});
  CHECK(aliases.expand("y@site7.example", kHost) == List{"again@site7.example"});
}

TEST_CASE("a file that grows without end expands to a bounded list") {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "n" + std::to_string(i) + ": n" + std::to_string(i + 1) + ", m" + std::to_string(i) + "@x.example\n";
  text += "many: ";
  for (int i = 0; i < 5000; ++i) text += "u" + std::to_string(i) + "@x.example,";
  const Aliases aliases(text);
  CHECK(aliases.expand("n0@site7.example", kHost).size() == 61);
  CHECK(aliases.expand("many@site7.example", kHost).size() == 1000);
}

TEST_CASE("a submission is routed: aliases, doubles, local ones, and wishes that are inherited") {
  config::Config config;
  config.local_domains = {"site7.example"};
  ConnectorChoice choice(config);
  Submission s;
  s.recipients = {"root@site7.example", "bob@far.example", "eve@site7.example"};
  s.dsn.recipients["root@site7.example"] = {"NEVER", ""};
  route_submission(s, Aliases("root: bob@far.example, carol@far.example"), choice, kHost);
  CHECK(s.recipients == List{"bob@far.example", "carol@far.example"});
  CHECK(s.local_recipients == List{"eve@site7.example"});
  CHECK(s.dsn.of("carol@far.example").notify == "NEVER");
}

TEST_CASE("localhost is this host, whatever connectors there are") {
  config::Config config;
  config.local_domains = {"site7.example"};
  config.connectors.emplace_back().domains = {"*"};
  ConnectorChoice choice(config);
  Submission s;
  s.recipients = {"root@localhost", "eve@LocalHost", "eve@localhost.example"};
  s.dsn.recipients["eve@LocalHost"] = {"NEVER", ""};
  route_submission(s, Aliases("root: bob@far.example"), choice, kHost);
  CHECK(s.recipients == List{"bob@far.example", "eve@localhost.example"});
  CHECK(s.local_recipients == List{"eve@site7.example"});
  CHECK(s.dsn.of("eve@site7.example").notify == "NEVER");
}
