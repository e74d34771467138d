// SPDX-License-Identifier: MIT
#include "modem/answer_machine.hpp"

#include <doctest/doctest.h>

#include <string>

#include "unit/let_pass.hpp"

using namespace longline;
using namespace longline::modem;

namespace {

AnswerOptions options(int rings = 1) {
  AnswerOptions out;
  out.init = {"ATX4"};
  out.rings = rings;
  return out;
}

/// A modem's side written down, and what the machine did with it.
struct AnswerBench {
  explicit AnswerBench(AnswerOptions with = options()) : machine(std::move(with)) {
    machine.start(now);
    drain();
  }
  void drain() {
    while (std::optional<AnswerAction> action = machine.next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) log += write->bytes;
      if (const auto* dtr = std::get_if<SetDtr>(&*action)) log += dtr->on ? "<dtr>" : "<no dtr>";
      if (std::get_if<DiscardInput>(&*action) != nullptr) log += "<flush>";
      if (std::get_if<ModemReady>(&*action) != nullptr) log += "<ready>";
      if (const auto* ring = std::get_if<Ringing>(&*action)) {
        log += "<ring " + std::to_string(ring->ring) + ">";
        if (ring->enough && accepts) machine.accept(now);
      }
      if (const auto* trouble = std::get_if<ModemTrouble>(&*action)) {
        log += "<" + std::string(to_string(trouble->error.code)) + ", again in " + format_duration(trouble->again) + ">";
      }
      if (const auto* missed = std::get_if<CallMissed>(&*action)) log += "<missed: " + std::string(to_string(missed->error.code)) + ">";
      if (auto* end = std::get_if<Answered>(&*action)) answered = std::move(*end);
    }
  }
  AnswerBench& hear(std::string_view bytes) {
    machine.on_bytes(bytes, now);
    drain();
    return *this;
  }
  AnswerBench& wait(Duration d) {
    let_pass(machine, now, d, [this] { drain(); });
    return *this;
  }
  AnswerBench& ready() { return hear("\r\nOK\r\n").hear("\r\nOK\r\n").hear("\r\nOK\r\n"); }
  std::string took() { return std::exchange(log, {}); }

  TimePoint now{Duration(1'000'000)};
  AnswerMachine machine;
  bool accepts = true;
  std::string log;
  std::optional<Answered> answered;
};

}  // namespace

TEST_CASE("a call comes in: initialised, idle, RING, ATA, CONNECT; what follows is kept") {
  AnswerBench bench;
  CHECK_FALSE(bench.machine.idle());
  bench.ready();
  CHECK(bench.took() == "<dtr><flush>AT\rATX4\rATS0=0\r<ready>");
  CHECK(bench.machine.idle());
  bench.hear("\r\nRING\r\n");
  CHECK(bench.took() == "<ring 1>ATA\r");
  CHECK_FALSE(bench.machine.idle());
  bench.hear("\r\nRING\r\n").hear("\r\nCARRIER 28800\r\n").hear("\r\nCONNECT 28800\r\n~\x7d");
  REQUIRE(bench.answered);
  CHECK(bench.answered->connect == "CONNECT 28800");
  CHECK(bench.answered->leftover == "~\x7d");
  CHECK_FALSE(bench.machine.deadline());
}

TEST_CASE("the same at every split of what the modem says") {
  const std::string rings = "\r\nRING\r\n\r\nNMBR = 123\r\n\r\nRING\r\n";
  const std::string connects = "\r\nRING\r\n\r\nCONNECT 9600\r\n~data";
  for (std::size_t first = 0; first <= rings.size(); ++first) {
    for (std::size_t second = 0; second <= connects.size(); ++second) {
      CAPTURE(first);
      CAPTURE(second);
      AnswerBench bench(options(2));
      bench.ready().hear(std::string_view(rings).substr(0, first)).hear(std::string_view(rings).substr(first));
      bench.hear(std::string_view(connects).substr(0, second)).hear(std::string_view(connects).substr(second)).wait(Duration(50));
      REQUIRE(bench.answered);
      CHECK(bench.log.ends_with("<ring 1><ring 2>ATA\r"));
      // What comes when the machine has ended belongs to whoever is next, who reads the line from then on.
      CHECK(bench.answered->leftover + (second >= connects.size() - 5 ? connects.substr(second) : "") == "~data");
    }
  }
}

TEST_CASE("the machine waits as many rings as it was told, and forgets rings that stopped") {
  AnswerBench bench(options(3));
  bench.ready().took();
  bench.hear("\r\nRING\r\n").wait(Duration(6'000)).hear("\r\nRING\r\n");
  CHECK_FALSE(bench.machine.idle());
  bench.wait(Duration(9'000));
  CHECK(bench.took() == "<ring 1><ring 2><missed: no-answer>");
  CHECK(bench.machine.idle());
  for (int ring = 0; ring < 3; ++ring) bench.wait(Duration(6'000)).hear("\r\nRING\r\n");
  CHECK(bench.took() == "<ring 1><ring 2><ring 3>ATA\r");
}

TEST_CASE("an answered call that does not connect is missed, and the next one is waited for") {
  AnswerBench bench;
  bench.ready().hear("\r\nRING\r\n").took();
  bench.hear("\r\nNO CARRIER\r\n");
  CHECK(bench.took() == "<missed: no-carrier>");
  CHECK(bench.machine.idle());
  bench.hear("\r\nRING\r\n").took();
  bench.wait(Duration(60'000));
  // Off hook for all that is known: initialised anew.
  CHECK(bench.took() == "<missed: dial-timeout><dtr><flush>AT\r");
  bench.ready();
  CHECK(bench.machine.idle());
}

TEST_CASE("a call that nobody accepts rings on, and others may have the modem") {
  AnswerBench bench;
  bench.ready().took();
  bench.accepts = false;
  for (int ring = 0; ring < 3; ++ring) bench.hear("\r\nRING\r\n").wait(Duration(6'000));
  CHECK(bench.took() == "<ring 1><ring 2><ring 3>");
  bench.wait(Duration(9'000));
  CHECK(bench.took() == "<missed: no-answer>");
  bench.machine.stand_aside();
  CHECK(bench.machine.idle());
  CHECK_FALSE(bench.machine.deadline());
  bench.hear("\r\nRING\r\n").wait(Duration(3'600'000));
  CHECK(bench.took().empty());
  bench.machine.start(bench.now);
  bench.drain();
  CHECK(bench.took() == "<dtr><flush>AT\r");
  CHECK(bench.machine.can_wait());
}

TEST_CASE("an idle modem is asked every so often, and initialised again when it does not answer") {
  AnswerBench bench;
  bench.ready().took();
  bench.wait(Duration(599'999));
  CHECK(bench.took().empty());
  CHECK(bench.machine.idle());
  bench.wait(Duration(1));
  CHECK(bench.took() == "AT\r");
  CHECK_FALSE(bench.machine.idle());
  bench.hear("\r\nOK\r\n");
  CHECK(bench.machine.idle());
  CHECK(bench.took().empty());
  bench.wait(Duration(600'000)).took();
  bench.hear("AT\r\r\nRING\r\n");
  CHECK(bench.took() == "<ring 1>ATA\r");
  bench.hear("\r\nNO CARRIER\r\n").wait(Duration(600'000)).took();
  bench.wait(Duration(5'000));
  CHECK(bench.took() == "<dtr><flush>AT\r");
  bench.ready();
  CHECK(bench.took().ends_with("<ready>"));
}

TEST_CASE("a silent modem is survived: told, and tried again ever more seldom, without an end") {
  AnswerBench bench;
  bench.wait(Duration(20'000));
  CHECK(bench.took().ends_with("<modem-silent, again in 15s>"));
  CHECK(bench.machine.idle());
  std::string all;
  for (int i = 0; i < 10; ++i) all += bench.wait(Duration(660'000)).took();
  for (const char* again : {"in 30s>", "in 1m>", "in 2m>", "in 4m>", "in 8m>", "in 10m>"}) CHECK(all.find(again) != std::string::npos);
  CHECK(all.find("in 16m>") == std::string::npos);
  while (bench.machine.idle()) bench.wait(Duration(1'000));
  bench.ready();
  CHECK(bench.took().ends_with("<ready>"));
  bench.wait(Duration(600'000)).wait(Duration(30'000));
  CHECK(bench.took().ends_with("<modem-silent, again in 15s>"));
}

TEST_CASE("an init string that is refused, and a port that goes away, are troubles of the modem") {
  AnswerBench bench;
  bench.hear("\r\nOK\r\n").hear("\r\nERROR\r\n");
  CHECK(bench.took().ends_with("<modem-error, again in 15s>"));
  bench.wait(Duration(15'000));
  CHECK(bench.took() == "<dtr><flush>AT\r");
  bench.ready().took();
  bench.machine.on_closed(bench.now);
  bench.drain();
  CHECK(bench.took() == "<no-device, again in 15s>");
  bench.machine.on_trouble(Error(Errc::no_device, "gone"), bench.now);
  bench.drain();
  CHECK(bench.took() == "<no-device, again in 30s>");
}

TEST_CASE("what a modem babbles while it waits is no call") {
  AnswerBench bench;
  bench.ready().took();
  bench.hear(std::string(100'000, 'x')).hear("\r\nRINGING\r\nRINGO\r\nCONNECT\r\n\0\xff");
  CHECK(bench.took().empty());
  CHECK(bench.machine.idle());
  CHECK_FALSE(bench.answered);
}

TEST_CASE("on a cable the first byte is the call") {
  AnswerOptions with;
  with.has_modem = false;
  AnswerBench bench(with);
  CHECK(bench.took() == "<dtr><ready>");
  CHECK(bench.machine.idle());
  CHECK_FALSE(bench.machine.deadline());
  bench.hear("~\xff}#");
  REQUIRE(bench.answered);
  CHECK(bench.answered->leftover == "~\xff}#");
}
