// SPDX-License-Identifier: MIT
#include "link/ppp_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace longline;
using namespace longline::link;

namespace {

config::Link branch() {
  config::Link link;
  link.name = "branch";
  link.user = "alice";
  return link;
}

bool has(const PppPlan& plan, std::initializer_list<std::string> words) {
  return std::search(plan.argv.begin(), plan.argv.end(), words.begin(), words.end()) != plan.argv.end();
}

std::string secrets(const PppPlan& plan) {
  const auto file = std::find_if(plan.files.begin(), plan.files.end(), [](const PppFile& f) { return f.name == "chap-secrets"; });
  return file->text;
}

}  // namespace

TEST_CASE("calling: the peer gives us our address, and we take no route") {
  const PppPlan plan = plan_ppp(branch(), {}, Secret("sesame"));
  CHECK(plan.argv.front() == "pppd");
  CHECK(has(plan, {"user", "alice"}));
  CHECK(has(plan, {"noauth"}));
  CHECK(has(plan, {"noipdefault"}));
  CHECK(has(plan, {"nodefaultroute"}));
  CHECK_FALSE(has(plan, {"usepeerdns"}));
  CHECK_FALSE(has(plan, {"auth"}));
  CHECK(secrets(plan) == "\"alice\" * \"sesame\" \n");
}

TEST_CASE("no secret is on the command line, and quotes do not end a word") {
  const PppPlan plan = plan_ppp(branch(), {}, Secret(R"(a"b\c d)"));
  for (const std::string& word : plan.argv) CHECK(word.find("a\"b") == std::string::npos);
  CHECK(secrets(plan) == "\"alice\" * \"a\\\"b\\\\c d\" \n");
}

TEST_CASE("ppp-options come last: they overrule") {
  config::Link link = branch();
  link.ppp_options = {"lcp-restart", "3", "mtu", "576"};
  const PppPlan plan = plan_ppp(link, {}, Secret());
  CHECK(std::equal(link.ppp_options.rbegin(), link.ppp_options.rend(), plan.argv.rbegin()));
  CHECK(secrets(plan).empty());
}

TEST_CASE("answering: the caller proves who it is and gets its address") {
  PppRole role;
  role.answering = true;
  role.host = "gw.example.com";
  role.local = "192.168.1.1";
  role.remote = "192.168.1.2";
  role.callers = {{"branch", Secret("in")}};
  const PppPlan plan = plan_ppp(branch(), role, Secret("out"));
  CHECK(has(plan, {"192.168.1.1:192.168.1.2"}));
  CHECK(has(plan, {"auth", "require-chap", "require-pap", "name", "gw.example.com"}));
  CHECK_FALSE(has(plan, {"noipdefault"}));
  CHECK(secrets(plan) == "\"branch\" \"gw.example.com\" \"in\" 192.168.1.2\n\"alice\" * \"out\" \n");
}

TEST_CASE("calling a router that must prove itself") {
  config::Link link = branch();
  link.authenticate_peer = true;
  PppRole role;
  role.host = "ship";
  role.callers = {{"branch", Secret("in")}};
  CHECK(secrets(plan_ppp(link, role, Secret("out"))) == "\"branch\" \"ship\" \"in\" *\n\"alice\" * \"out\" \n");
}

TEST_CASE("options that would take pppd out of our hands are named") {
  for (const char* option : {"persist", "demand", "connect", "updetach", "defaultroute", "/dev/ttyS0", "password", "logfile"}) {
    CAPTURE(option);
    CHECK_FALSE(config::objection_to_ppp_option(option).empty());
  }
  for (const char* option : {"noccp", "novj", "mtu", "576", "lcp-echo-interval", "10.0.0.1:10.0.0.2"}) {
    CHECK(config::objection_to_ppp_option(option).empty());
  }
}
