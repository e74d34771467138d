// SPDX-License-Identifier: MIT
#include "modem/hangup_machine.hpp"

#include <doctest/doctest.h>

#include <string>

#include "unit/let_pass.hpp"

using namespace longline;
using namespace longline::modem;

namespace {

struct HangUpBench {
  explicit HangUpBench(ModemState state) : machine(state) {
    machine.start(now);
    drain();
  }
  void drain() {
    while (std::optional<HangUpAction> action = machine.next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) log += write->bytes;
      if (const auto* dtr = std::get_if<SetDtr>(&*action)) log += dtr->on ? "<dtr>" : "<no dtr>";
      if (const auto* end = std::get_if<HungUp>(&*action)) log += end->confirmed ? "<on hook>" : "<unknown>";
    }
  }
  HangUpBench& hear(std::string_view bytes) {
    machine.on_bytes(bytes, now);
    drain();
    return *this;
  }
  HangUpBench& wait(Duration d) {
    let_pass(machine, now, d, [this] { drain(); });
    return *this;
  }
  TimePoint now{Duration(5'000)};
  HangUpMachine machine;
  std::string log;
};

}  // namespace

TEST_CASE("DTR hangs up, and the modem says so") {
  HangUpBench bench(ModemState::data);
  CHECK(bench.log == "<no dtr>");
  bench.hear("\r\nNO CARRIER\r\n").wait(Duration(650));
  CHECK(bench.log == "<no dtr><dtr>ATH\r");
  bench.hear("\r\nOK\r\n");
  CHECK(bench.log == "<no dtr><dtr>ATH\r<on hook>");
}

TEST_CASE("a modem without &D2 gets the escape sequence between its guard times") {
  HangUpBench bench(ModemState::data);
  bench.wait(Duration(1'600));
  CHECK(bench.log == "<no dtr><dtr>+++");
  bench.hear("\r\nOK\r\n").wait(Duration(1'100)).hear("\r\nOK\r\n");
  CHECK(bench.log == "<no dtr><dtr>+++ATH\r<on hook>");
}

TEST_CASE("nothing helps: the machine still ends within five seconds") {
  HangUpBench bench(ModemState::data);
  bench.wait(Duration(5'000));
  CHECK(bench.log == "<no dtr><dtr>+++ATH\r<unknown>");
  CHECK_FALSE(bench.machine.deadline());
}

TEST_CASE("a dial attempt is broken off by a character, then ATH") {
  HangUpBench bench(ModemState::dialling);
  bench.hear("\r\nNO CARRIER\r\n").wait(Duration(150)).hear("\r\nOK\r\n");
  CHECK(bench.log == "\rATH\r<on hook>");
}

TEST_CASE("a modem that said it was on hook and then is deaf gets the escape sequence too") {
  for (const ModemState state : {ModemState::dialling, ModemState::on_hook, ModemState::data}) {
    HangUpBench bench(state);
    bench.hear("\r\nNO CARRIER\r\n").wait(Duration(5'000));
    CHECK(bench.log.ends_with("ATH\r+++ATH\r<unknown>"));
  }
}

TEST_CASE("nothing is written into a connection before DTR had its chance") {
  HangUpBench bench(ModemState::data);
  bench.wait(Duration(640));
  CHECK(bench.log.find('A') == std::string::npos);
  CHECK(bench.log.find('+') == std::string::npos);
}
