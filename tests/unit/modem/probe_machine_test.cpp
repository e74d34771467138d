// SPDX-License-Identifier: MIT
#include "modem/probe_machine.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::modem;

namespace {

struct ProbeBench {
  ProbeBench() {
    machine.start(now);
    drain();
  }
  void drain() {
    while (std::optional<ProbeAction> action = machine.next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) log += write->bytes;
      if (auto* end = std::get_if<Probed>(&*action)) probed = std::move(*end);
    }
  }
  ProbeBench& hear(std::string_view bytes) {
    machine.on_bytes(bytes, now);
    drain();
    return *this;
  }
  ProbeBench& wait() {
    if (machine.deadline()) now = *machine.deadline();
    machine.on_time(now);
    drain();
    return *this;
  }
  static constexpr TimePoint kStart{Duration(1'000'000)};
  TimePoint now = kStart;
  ProbeMachine machine;
  std::string log;
  std::optional<Probed> probed;
};

}  // namespace

TEST_CASE("a modem says what it is, whatever the chunks, with or without echo") {
  const std::string said = "AT\r\r\nOK\r\nATI\r\r\nAcme \x1B 56k\r\nRev 2\r\n\r\nOK\r\nAT+CGMM\r\r\nERROR\r\n";
  for (std::size_t cut = 0; cut <= said.size(); ++cut) {
    ProbeBench bench;
    bench.hear(said.substr(0, cut)).hear(said.substr(cut));
    REQUIRE(bench.probed);
    CHECK(bench.probed->answers);
    CHECK(bench.probed->identity == "Acme \\x1B 56k; Rev 2");
    CHECK(bench.probed->model.empty());
    CHECK(bench.log == "AT\rATI\rAT+CGMM\r");
  }
}

TEST_CASE("where nothing answers two seconds are enough; a late answer is no answer to ATI") {
  ProbeBench silent;
  silent.wait().wait();
  REQUIRE(silent.probed);
  CHECK_FALSE(silent.probed->answers);
  CHECK(silent.now - ProbeBench::kStart == Duration(2'000));
  ProbeBench late;
  late.wait().hear("OK\r\n").hear("OK\r\n");
  CHECK(late.log == "AT\rAT\r");
  late.wait().hear("Acme\r\nOK\r\n").wait();
  REQUIRE(late.probed);
  CHECK(late.probed->identity == "Acme");
}

TEST_CASE("a modem that says too much is cut off, and ends all the same") {
  ProbeBench bench;
  bench.hear("OK\r\n");
  for (int i = 0; i < 10'000; ++i) bench.hear("nonsense without an end\r\n");
  CHECK_FALSE(bench.probed);
  bench.wait().wait();
  REQUIRE(bench.probed);
  CHECK(bench.probed->identity.size() <= 220);
  CHECK_FALSE(bench.machine.deadline());
}
