// SPDX-License-Identifier: MIT
#include "modem/dial_machine.hpp"

#include <doctest/doctest.h>

#include "modem/lcp_frame.hpp"
#include "unit/let_pass.hpp"

using namespace longline;
using namespace longline::modem;

namespace {

constexpr TimePoint kStart{Duration(1'000'000)};

/// A dialogue written down: what the machine did, and what the modem says to each command.
struct DialBench {
  explicit DialBench(DialOptions options = {{"ATZ", "ATX4"}, "ATDT", "5551234", Duration(60'000)}) : machine(options) {
    machine.start(now);
    drain();
  }
  void drain() {
    while (std::optional<DialAction> action = machine.next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) log += write->bytes;
      if (const auto* dtr = std::get_if<SetDtr>(&*action)) log += dtr->on ? "<dtr>" : "<no dtr>";
      if (std::get_if<DiscardInput>(&*action) != nullptr) log += "<flush>";
      if (const auto* recovery = std::get_if<Recovery>(&*action)) rungs += recovery->rung + (recovery->helped ? "+ " : "- ");
      if (auto* end = std::get_if<Dialled>(&*action)) dialled = std::move(*end);
    }
  }
  DialBench& hear(std::string_view bytes) {
    machine.on_bytes(bytes, now);
    drain();
    return *this;
  }
  DialBench& wait(Duration d) {
    let_pass(machine, now, d, [this] { drain(); });
    return *this;
  }
  DialBench& dialling() { return hear("\r\nOK\r\n").hear("\r\nOK\r\n").wait(Duration(250)).hear("\r\nOK\r\n"); }

  TimePoint now = kStart;
  DialMachine machine;
  std::string log;
  std::string rungs;
  std::optional<Dialled> dialled;
};

Errc failure_after(std::string_view reply) {
  DialBench bench;
  bench.dialling().hear(reply);
  REQUIRE(bench.dialled);
  REQUIRE(bench.dialled->error);
  return bench.dialled->error->code;
}

}  // namespace

TEST_CASE("a modem whose stored profile is quiet is made to speak again after its reset") {
  DialBench bench;
  bench.wait(Duration(8'300));
  REQUIRE(bench.log.ends_with("ATQ0V1E1\r"));
  bench.hear("\r\nOK\r\n");
  REQUIRE(bench.log.ends_with("ATZ\r"));
  bench.wait(Duration(2'000));
  REQUIRE(bench.log.ends_with("ATZ\rATQ0V1E1\r"));
  bench.hear("\r\nOK\r\n");
  REQUIRE(bench.log.ends_with("ATX4\r"));
  bench.hear("\r\nOK\r\n");
  CHECK(bench.log.ends_with("ATDT5551234\r"));
}

TEST_CASE("a call: wake, initialise, dial, connect; what follows CONNECT is kept") {
  DialBench bench;
  bench.dialling().hear("\r\nCARRIER 28800\r\n\r\nCONNECT 28800/ARQ\r\nWelcome\r\nlog").wait(Duration(0));
  CHECK(bench.log == "<dtr><flush>AT\rATZ\r<flush>ATX4\rATDT5551234\r");
  REQUIRE(bench.dialled);
  CHECK_FALSE(bench.dialled->error);
  CHECK(bench.dialled->connect == "CONNECT 28800/ARQ");
  CHECK(bench.dialled->leftover == "Welcome\r\nlog");
}

TEST_CASE("echo, early OKs and any split of the modem's bytes make no difference") {
  const std::string reply = "ATDT5551234\r\r\nRINGING\r\n\r\nCONNECT\r\nabc";
  for (std::size_t cut = 0; cut <= reply.size(); ++cut) {
    DialBench bench;
    bench.hear("AT\r\r\nOK\r\n").hear("ATZ\r\r\nOK\r\n").hear("OK\r\n").wait(Duration(250)).hear("ATX4\r\r\nOK\r\n");
    bench.hear(reply.substr(0, cut)).hear(reply.substr(cut));
    bench.wait(Duration(50));
    REQUIRE(bench.dialled);
    CHECK_FALSE(bench.dialled->error);
    // The bytes behind the CONNECT line all reach the next one, here or through the stream.
    CHECK(std::string("abc").starts_with(bench.dialled->leftover));
    CHECK(bench.dialled->connect == "CONNECT");
  }
}

TEST_CASE("a modem that wakes slowly answers AT twice, and the second OK is nobody's") {
  DialBench bench;
  bench.wait(Duration(1'000)).hear("\r\nOK\r\n").wait(Duration(100)).hear("\r\nOK\r\n");
  CHECK(bench.log == "<dtr><flush>AT\rAT\r");
  bench.wait(Duration(150));
  CHECK(bench.log == "<dtr><flush>AT\rAT\r<flush>ATZ\r");
}

TEST_CASE("each way a call can fail has its own code") {
  CHECK(failure_after("\r\nBUSY\r\n") == Errc::line_busy);
  CHECK(failure_after("\r\nNO ANSWER\r\n") == Errc::no_answer);
  CHECK(failure_after("\r\nNO CARRIER\r\n") == Errc::no_carrier);
  CHECK(failure_after("\r\nNO DIALTONE\r\n") == Errc::no_dial_tone);
  CHECK(failure_after("\r\nNO DIAL TONE\r\n") == Errc::no_dial_tone);
  CHECK(failure_after("\r\nVOICE\r\n") == Errc::voice_answer);
  CHECK(failure_after("\r\nDELAYED 00:30\r\n") == Errc::call_refused);
  CHECK(failure_after("\r\nBLACKLISTED\r\n") == Errc::call_refused);
  CHECK(failure_after("\r\nERROR\r\n") == Errc::modem_error);
  CHECK(failure_after("7\r") == Errc::line_busy);
}

TEST_CASE("nobody answers in time") {
  DialBench bench;
  bench.dialling().wait(Duration(59'999));
  CHECK_FALSE(bench.dialled);
  bench.wait(Duration(1));
  REQUIRE(bench.dialled);
  CHECK(bench.dialled->error->code == Errc::dial_timeout);
  CHECK(bench.dialled->error->stage == Stage::dial);
}

TEST_CASE("a silent modem is tried in every known way, and given up in time") {
  DialBench bench;
  bench.wait(Duration(15'000));
  CHECK(bench.log == "<dtr><flush>AT\rAT\rAT\r<no dtr><dtr><flush>AT\r+++ATH\rATQ0V1E1\r" + lcp_terminate_request(1) + "<flush>AT\r");
  CHECK(bench.rungs == "dtr- escape- atq0- lcp- ");
  REQUIRE(bench.dialled);
  CHECK(bench.dialled->error->code == Errc::modem_silent);
  CHECK(bench.dialled->error->stage == Stage::modem);
}

TEST_CASE("a modem that was left in data state is brought back with +++") {
  DialBench bench;
  bench.wait(Duration(5'000));             // three AT, DTR low, one AT more
  CHECK(bench.log.ends_with("AT\r"));
  bench.wait(Duration(1'100));
  CHECK(bench.log.ends_with("+++"));
  bench.hear("\r\nOK\r\n").wait(Duration(1'100));
  CHECK(bench.log.ends_with("ATH\r"));
  bench.hear("\r\nOK\r\n");
  CHECK(bench.log.ends_with("ATH\rAT\r"));
  bench.hear("\r\nOK\r\n").wait(Duration(250));
  CHECK(bench.log.ends_with("ATZ\r"));
}

TEST_CASE("a babbling modem costs no memory and is told from a silent one") {
  DialBench bench;
  const std::string noise(100'000, '~');
  for (int i = 0; i < 50; ++i) bench.hear(noise).wait(Duration(500));
  REQUIRE(bench.dialled);
  CHECK(bench.dialled->error->code == Errc::modem_silent);
  CHECK(bench.dialled->error->what.find("does not answer AT with OK") != std::string::npos);
}

TEST_CASE("a refused init string is named") {
  DialBench bench;
  bench.hear("OK\r\n").hear("ERROR\r\n");
  REQUIRE(bench.dialled);
  CHECK(bench.dialled->error->code == Errc::modem_error);
  CHECK(bench.dialled->error->what == "the modem refused init string 1 'ATZ' (ERROR)");
}

TEST_CASE("the port that goes away ends the attempt wherever it is") {
  for (int steps = 0; steps < 4; ++steps) {
    DialBench bench;
    for (int i = 0; i < steps; ++i) bench.hear("OK\r\n").wait(Duration(250));
    bench.machine.on_closed(bench.now);
    bench.drain();
    REQUIRE(bench.dialled);
    CHECK(bench.dialled->error->code == Errc::no_device);
    CHECK_FALSE(bench.machine.deadline());
  }
}

TEST_CASE("a cellular modem: SIM and network between init and dial, the cause after a failed call") {
  DialOptions options{{"ATZ"}, "ATD", "*99***1#", Duration(60'000)};
  options.gsm = GsmOptions{"*99***1#"};
  const std::string asked = "AT+CMEE=1\rAT+CPIN?\rAT+CREG?\rAT+CGREG?\rAT+CEREG?\rAT+CSQ\rATD*99***1#\r";
  const std::string good = "OK\r\n+CPIN: READY\r\n\r\nOK\r\n+CREG: 0,1\r\nOK\r\nERROR\r\nERROR\r\n+CSQ: 17,99\r\nOK\r\n";
  for (const std::string end : {"CONNECT\r\nabc", "NO CARRIER\r\n", "+CME ERROR: 149\r\n"}) {
    // One byte at a time and all at once are the same.
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
      DialBench bench(options);
      bench.hear("OK\r\n").hear("OK\r\n").wait(Duration(250));
      const std::string all = "OK\r\n" + good + end;
      bench.log = "";
      for (std::size_t at = 0; at < all.size(); at += step) bench.hear(all.substr(at, step));
      if (end.starts_with("CONNECT")) {
        bench.wait(Duration(50));
        REQUIRE(bench.dialled);
        CHECK_FALSE(bench.dialled->error);
        CHECK(bench.dialled->signal_dbm == -79);
        continue;
      }
      CHECK(bench.log.ends_with("AT+CEER\r"));
      CHECK_FALSE(bench.dialled);
      bench.hear("\r\n+CEER: 5,33,\x1B option not subscribed\r\n+CEER: more\r\n\r\nOK\r\n");
      REQUIRE(bench.dialled);
      CHECK(bench.dialled->error->code == (end.starts_with("NO") ? Errc::no_carrier : Errc::auth_refused));
      CHECK(bench.dialled->error->what.ends_with("; the network's cause: 5,33,\\x1B option not subscribed"));
      CHECK(bench.dialled->error->stage == Stage::dial);
      CHECK(bench.dialled->signal_dbm == -79);
    }
  }
}

TEST_CASE("a modem that keeps the cause to itself costs five seconds") {
  DialOptions options{{}, "ATD", "*99#", Duration(60'000)};
  options.gsm = GsmOptions{"*99#"};
  DialBench bench(options);
  bench.hear("OK\r\n").hear("OK\r\n").hear("+CPIN: READY\r\nOK\r\n").hear("+CREG: 0,1\r\nOK\r\n").hear("ERROR\r\n").hear("ERROR\r\n").hear("OK\r\n");
  bench.hear("BUSY\r\n").wait(Duration(4'999));
  CHECK_FALSE(bench.dialled);
  bench.wait(Duration(1));
  REQUIRE(bench.dialled);
  CHECK(bench.dialled->error->code == Errc::line_busy);
}

TEST_CASE("what to do after each failure") {
  CHECK(after_failure(Errc::line_busy) == AfterFailure::redial);
  CHECK(after_failure(Errc::voice_answer) == AfterFailure::other_number);
  CHECK(after_failure(Errc::no_dial_tone) == AfterFailure::stop);
  CHECK(after_failure(Errc::call_refused) == AfterFailure::stop);
  CHECK(after_failure(Errc::modem_silent) == AfterFailure::stop);
}
