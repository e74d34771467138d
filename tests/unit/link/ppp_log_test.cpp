// SPDX-License-Identifier: MIT
#include "link/ppp_log.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::link;

namespace {

struct Meaning {
  Errc code;
  Stage stage;
};

Meaning meaning(int status, std::string_view log) {
  PppLog reader;
  reader.feed(log);
  const std::optional<Error> error = reader.error(status);
  REQUIRE(error);
  return {error->code, error->stage};
}

void check(int status, std::string_view log, Errc code, Stage stage) {
  CAPTURE(log);
  const Meaning found = meaning(status, log);
  CHECK(to_string(found.code) == to_string(code));
  CHECK(to_string(found.stage) == to_string(stage));
}

// pppd 2.4.9 on Debian 12, with debug off.
constexpr std::string_view kGood =
    "Using interface ppp0\nConnect: ppp0 <--> /dev/pts/1\nPAP authentication succeeded\nlocal  IP address 10.9.0.2\n"
    "remote IP address 10.9.0.1\n";

}  // namespace

TEST_CASE("pppd's log: interface and addresses, at every split") {
  for (std::size_t at = 0; at <= kGood.size(); ++at) {
    PppLog log;
    log.feed(kGood.substr(0, at));
    log.feed(kGood.substr(at));
    CHECK(log.facts().interface == "ppp0");
    CHECK(log.facts().local == "10.9.0.2");
    CHECK(log.facts().remote == "10.9.0.1");
    CHECK(log.facts().speaks);
  }
}

TEST_CASE("pppd's log: an interface that a script renamed") {
  PppLog log;
  log.feed("Using interface ppp0\nRenamed interface ppp0 to isp\n");
  CHECK(log.facts().interface == "isp");
  log.feed("Using interface ../../etc\nUsing interface a b\nUsing interface 0123456789abcdef\n");
  CHECK(log.facts().interface == "isp");
}

TEST_CASE("pppd's end: what its status and its words mean") {
  check(19, "PAP authentication failed\n", Errc::auth_refused, Stage::auth);
  check(19, "CHAP authentication failed: go away\n", Errc::auth_refused, Stage::auth);
  check(11, "peer refused to authenticate: terminating link\n", Errc::caller_refused, Stage::auth);
  check(11, "Peer mallory failed CHAP authentication\n", Errc::caller_refused, Stage::auth);
  check(10, "LCP: timeout sending Config-Requests\n", Errc::ppp_timeout, Stage::ppp);
  check(10, "IPCP: timeout sending Config-Requests\n", Errc::ppp_failed, Stage::ppp);
  check(10, "Could not determine local IP address\n", Errc::no_address, Stage::address);
  check(10, "Serial line is looped back.\n", Errc::line_looped, Stage::ppp);
  check(17, "", Errc::line_looped, Stage::ppp);
  check(10, "No CHAP secret found for authenticating us to isp\n", Errc::auth_refused, Stage::auth);
  check(16, "LCP terminated by peer (peer refused to authenticate)\nModem hangup\n", Errc::auth_refused, Stage::auth);
  check(16, "LCP terminated by peer (Authentication failed)\nModem hangup\n", Errc::auth_refused, Stage::auth);
  check(10, "LCP terminated by peer\n", Errc::peer_ended_ppp, Stage::ppp);
  check(0, "LCP terminated by peer\n", Errc::peer_ended_ppp, Stage::ppp);
  check(15, "No response to 4 echo-requests\nSerial link appears to be disconnected.\n", Errc::line_dropped, Stage::transfer);
  check(16, "Modem hangup\n", Errc::line_dropped, Stage::ppp);
  check(2, "/usr/sbin/pppd: no device specified and stdin is not a tty\n", Errc::line_dropped, Stage::ppp);
  check(2, "/usr/sbin/pppd: unrecognized option 'x'\n", Errc::config, Stage::ppp);
  check(10, "", Errc::ppp_failed, Stage::ppp);
  check(2, "/usr/sbin/pppd: unrecognized option 'foo'\n", Errc::config, Stage::ppp);
  check(4, "", Errc::no_ppp, Stage::ppp);
  check(1, "Couldn't set tty to PPP discipline: Invalid argument\n", Errc::os, Stage::ppp);
  check(137, "", Errc::os, Stage::ppp);
}

TEST_CASE("pppd's end: the first thing that went wrong is the reason") {
  check(10, "Could not determine local IP address\nLCP terminated by peer\nModem hangup\n", Errc::no_address, Stage::address);
  check(16, "Couldn't get PPP statistics: No such device\nModem hangup\n", Errc::line_dropped, Stage::ppp);
}

TEST_CASE("pppd's end: asked for, it is no failure") {
  PppLog log;
  log.feed(kGood);
  CHECK_FALSE(log.error(0));
  CHECK_FALSE(log.error(5));
}

TEST_CASE("pppd's log is bounded and shown escaped") {
  PppLog log;
  log.feed(std::string(1 << 20, 'x'));
  log.feed("\nCHAP authentication failed: \x1b[2J\n");
  const std::optional<Error> error = log.error(19);
  REQUIRE(error);
  CHECK(error->what.find('\x1b') == std::string::npos);
  CHECK(error->what.size() < 400);
}
