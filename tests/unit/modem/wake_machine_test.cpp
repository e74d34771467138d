// SPDX-License-Identifier: MIT
#include "modem/wake_machine.hpp"

#include <doctest/doctest.h>

#include "modem/lcp_frame.hpp"

using namespace longline;
using namespace longline::modem;

namespace {

struct WakeBench {
  explicit WakeBench(WakeOptions options = {}) : machine(options) {
    machine.start(now);
    drain();
  }
  void drain() {
    while (std::optional<WakeAction> action = machine.next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) log += write->bytes;
      if (const auto* recovery = std::get_if<Recovery>(&*action)) {
        rungs += recovery->rung + (recovery->helped ? "+" : "-") + recovery->note + " ";
      }
      if (const auto* reopen = std::get_if<ReopenPort>(&*action)) log += reopen->command ? "<command>" : "<reopen>";
      if (auto* end = std::get_if<Awake>(&*action)) {
        CHECK_FALSE(awake);
        awake = std::move(*end);
      }
    }
  }
  WakeBench& hear(std::string_view bytes) {
    machine.on_bytes(bytes, now);
    drain();
    return *this;
  }
  WakeBench& closed() {
    machine.on_closed(now);
    drain();
    return *this;
  }
  WakeBench& reopened(Reopened outcome) {
    machine.on_reopened(std::move(outcome), now);
    drain();
    return *this;
  }
  /// Until it has done something that ends so.
  WakeBench& until(std::string_view end) {
    while (!log.ends_with(end) && machine.deadline() && now < kEnd) {
      now = *machine.deadline();
      machine.on_time(now);
      drain();
    }
    CHECK(log.ends_with(end));
    return *this;
  }
  WakeBench& settle() {
    if (machine.deadline()) now = *machine.deadline();
    machine.on_time(now);
    drain();
    return *this;
  }

  static constexpr TimePoint kStart{Duration(1'000'000)}, kEnd{Duration(2'000'000)};
  TimePoint now = kStart;
  WakeMachine machine;
  std::string log, rungs;
  std::optional<Awake> awake;
};

}  // namespace

TEST_CASE("the Terminate-Request of RFC 1661 as RFC 1662 frames it") {
  // Computed by another program.
  CHECK(lcp_terminate_request(1) == "\x7e\xff\x7d\x23\xc0\x21\x7d\x25\x7d\x21\x7d\x20\x7d\x24\x3d\xc7\x7e");
}

TEST_CASE("each rung can be the one that helps") {
  const std::string lcp = lcp_terminate_request(1);
  struct Case {
    std::string_view until, rungs;
  };
  const std::string after_lcp = lcp + "AT\r";
  for (const Case& c : {Case{"AT\rAT\rAT\rAT\r", "dtr+ "}, Case{"ATQ0V1E1\r", "dtr- escape- atq0+ "},
                        Case{after_lcp, "dtr- escape- atq0- lcp+ "}, Case{"AT+CFUN=1,1\rAT\r", "dtr- escape- atq0- lcp- cfun+ "}}) {
    WakeBench bench({true, true});
    bench.until(c.until).hear("\r\nOK\r\n").settle();
    REQUIRE(bench.awake);
    CHECK_FALSE(bench.awake->error);
    CHECK(bench.rungs == c.rungs);
    CHECK(bench.awake->quiet == (c.until == "ATQ0V1E1\r"));
  }
}

TEST_CASE("a silent modem is known after 11.2 seconds; one that can be restarted, after 36.2") {
  for (const bool cellular : {false, true}) {
    WakeBench bench({cellular, false});
    while (bench.machine.deadline()) bench.settle();
    CHECK(bench.now - WakeBench::kStart == Duration(cellular ? 36'200 : 11'200));
    CHECK(bench.awake->error->code == Errc::modem_silent);
    CHECK(bench.rungs == std::string("dtr- escape- atq0- lcp- ") + (cellular ? "cfun- " : ""));
  }
}

TEST_CASE("a modem that answers +++ gets longer for ATH") {
  WakeBench bench;
  bench.until("+++").hear("\r\nOK\r\n").until("ATH\r");
  CHECK(*bench.machine.deadline() - bench.now == Duration(2'000));
  bench.hear("\r\nOK\r\n").until("AT\r").hear("\r\nOK\r\n").settle();
  CHECK_FALSE(bench.awake->error);
  CHECK(bench.rungs == "dtr- escape+ ");
}

TEST_CASE("the reset-command is the last rung; what it said is recorded") {
  WakeBench bench({false, true});
  bench.until("<command>").hear("noise while it runs OK\r\nOK\r\n");
  CHECK_FALSE(bench.awake);
  bench.reopened({std::nullopt, "reset-command ended with status 3"}).until("AT\r").hear("OK\r\n").settle();
  REQUIRE(bench.awake);
  CHECK_FALSE(bench.awake->error);
  CHECK(bench.rungs.ends_with("reset-command+reset-command ended with status 3 "));
}

TEST_CASE("a port that does not come back ends it") {
  WakeBench bench({false, true});
  bench.until("<command>").reopened({Error(Errc::no_device, "gone", Stage::port), ""});
  REQUIRE(bench.awake);
  CHECK(bench.awake->error->code == Errc::no_device);
  CHECK(bench.rungs.ends_with("reset-command- "));
  WakeBench shell_forgets({false, true});
  shell_forgets.until("<command>").settle();
  CHECK(shell_forgets.awake->error->code == Errc::no_device);
}

TEST_CASE("a USB modem that restarts takes its port away: it is opened again, not for ever") {
  WakeBench bench({true, false});
  bench.until("AT+CFUN=1,1\r").closed();
  CHECK(bench.log.ends_with("<reopen>"));
  bench.reopened({}).closed().reopened({}).closed();
  REQUIRE(bench.awake);
  CHECK(bench.awake->error->code == Errc::no_device);
  // Where it stays away, the reset-command may bring it back.
  WakeBench both({true, true});
  both.until("AT+CFUN=1,1\r").closed().reopened({Error(Errc::no_device, "gone"), ""});
  CHECK(both.log.ends_with("<command>"));
  CHECK(both.rungs.ends_with("cfun-gone "));
  both.reopened({}).hear("OK\r\n").settle();
  CHECK_FALSE(both.awake->error);
}

TEST_CASE("before the modem is reset, a port that goes away is the end") {
  WakeBench bench({true, true});
  bench.until("+++").closed();
  REQUIRE(bench.awake);
  CHECK(bench.awake->error->code == Errc::no_device);
}
