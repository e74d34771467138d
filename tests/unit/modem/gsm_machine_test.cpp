// SPDX-License-Identifier: MIT
#include "modem/gsm_machine.hpp"

#include <doctest/doctest.h>

#include "modem/cme_error.hpp"
#include "modem/command_limit.hpp"
#include "unit/let_pass.hpp"

using namespace longline;
using namespace longline::modem;

namespace {

constexpr TimePoint kPowerOn{Duration(1'000'000)};

struct GsmBench {
  explicit GsmBench(GsmOptions options = {"*99***1#"}) {
    options.pin.before = [this]() -> Result<void> {
      memory += "before ";
      if (refuses_memory) return Error(Errc::disk_full, "no room");
      return {};
    };
    options.pin.after = [this](bool taken) { memory += taken ? "taken " : "refused "; };
    machine.emplace(std::move(options));
    machine->start(now);
    drain();
  }
  void drain() {
    while (std::optional<GsmAction> action = machine->next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) {
        log += write->secret ? "<secret " + write->bytes + ">" : write->bytes;
        last = write->bytes;
      } else {
        CHECK_FALSE(ready);
        ready = std::get<GsmReady>(std::move(*action));
      }
    }
  }
  GsmBench& hear(std::string_view bytes) {
    machine->on_bytes(bytes, now);
    drain();
    return *this;
  }
  GsmBench& wait(Duration d) {
    let_pass(*machine, now, d, [this] { drain(); });
    return *this;
  }
  /// Past +CMEE.
  GsmBench& at_sim() { return hear("\r\nOK\r\n"); }
  GsmBench& sim(std::string_view state) { return hear("\r\n+CPIN: " + std::string(state) + "\r\n\r\nOK\r\n"); }
  /// Past the SIM; all three networks say so.
  GsmBench& registered(std::string_view a, std::string_view b, std::string_view c) {
    for (const std::string_view answer : {a, b, c}) {
      if (answer == "ERROR") hear("ERROR\r\n");
      else hear("\r\n" + last.substr(2, last.find('?') - 2) + ": 0," + std::string(answer) + "\r\n\r\nOK\r\n");
    }
    return *this;
  }
  Errc code() const {
    REQUIRE(ready);
    REQUIRE(ready->error);
    CHECK(ready->error->stage == Stage::modem);
    return ready->error->code;
  }

  TimePoint now = kPowerOn;
  std::optional<GsmMachine> machine;
  std::string log, last, memory;
  bool refuses_memory = false;
  std::optional<GsmReady> ready;
};

GsmOptions with_pin(std::string pin) {
  GsmOptions options{"*99***1#"};
  options.pin.pin = Secret(std::move(pin));
  return options;
}

Errc registration_ends(std::string_view a, std::string_view b, std::string_view c) {
  GsmBench bench;
  bench.at_sim().sim("READY").registered(a, b, c);
  // It says nothing more; each question has its own limit.
  while (!bench.log.ends_with("AT+CSQ\r")) bench.wait(Duration(1'000));
  CHECK(bench.now - kPowerOn < Duration(80'000));
  bench.hear("OK\r\n");
  return bench.code();
}

}  // namespace

TEST_CASE("a ready SIM at home: the whole dialogue, whatever the chunks") {
  GsmOptions options{"*99***2#"};
  options.apn = "internet";
  const std::string said = "\r\nOK\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n\r\nOK\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\nERROR\r\n"
                           "+CEREG: 2,1,\"00D5\",\"01\",7\r\nOK\r\n+CSQ: 0,0\r\nOK\r\n";
  for (std::size_t cut = 0; cut <= said.size(); ++cut) {
    GsmBench bench(options);
    bench.hear(said.substr(0, cut)).hear(said.substr(cut));
    CHECK(bench.log == "AT+CMEE=1\rAT+CPIN?\rAT+CGDCONT=2,\"IP\",\"internet\"\rAT+CREG?\rAT+CGREG?\rAT+CEREG?\rAT+CSQ\r");
    REQUIRE(bench.ready);
    CHECK_FALSE(bench.ready->error);
    CHECK(bench.ready->signal_dbm == -113);
    CHECK_FALSE(bench.machine->deadline());
  }
}

TEST_CASE("the OK behind the SIM's state is not taken for the answer to the PIN") {
  GsmBench bench(with_pin("4711"));
  bench.at_sim().hear("\r\n+CPIN: SIM PIN\r\n");
  CHECK(bench.memory.empty());
  bench.hear("\r\nOK\r\n");
  CHECK(bench.memory == "before ");
  CHECK(bench.log.ends_with("<secret AT+CPIN=\"4711\"\r>"));
  bench.hear("\r\nOK\r\n");
  CHECK(bench.memory == "before taken ");
  bench.wait(Duration(500)).hear("+CME ERROR: 14\r\n").wait(Duration(500)).sim("READY");
  CHECK(bench.log.ends_with("AT+CREG?\r"));
}

TEST_CASE("a refused PIN ends the call, and is told to the memory") {
  for (const char* answer : {"ERROR\r\n", "+CME ERROR: 16\r\n", "+CME ERROR: incorrect password\r\n", "+CME ERROR: 12\r\n"}) {
    GsmBench bench(with_pin("4711"));
    bench.at_sim().sim("SIM PIN").hear(answer);
    CHECK(bench.code() == Errc::sim_pin_refused);
    CHECK(bench.memory == "before refused ");
    CHECK(bench.ready->error->message().find("4711") == std::string::npos);
    CHECK(bench.log.find("4711") == bench.log.rfind("4711"));
  }
}

TEST_CASE("a PIN that cannot be remembered is not sent") {
  GsmBench bench(with_pin("4711"));
  bench.refuses_memory = true;
  bench.at_sim().sim("SIM PIN");
  CHECK(bench.code() == Errc::disk_full);
  CHECK(bench.log.find("4711") == std::string::npos);
}

TEST_CASE("a PIN without an answer stays remembered as tried") {
  GsmBench bench(with_pin("4711"));
  bench.at_sim().sim("SIM PIN").wait(Duration(20'000));
  CHECK(bench.code() == Errc::modem_silent);
  CHECK(bench.memory == "before ");
}

TEST_CASE("a SIM that takes the PIN and asks again is not given it again") {
  GsmBench bench(with_pin("4711"));
  bench.at_sim().sim("SIM PIN").hear("OK\r\n");
  for (int i = 0; i < 60 && !bench.ready; ++i) bench.wait(Duration(500)).sim("SIM PIN");
  CHECK(bench.code() == Errc::sim_pin_refused);
  CHECK(bench.memory == "before taken ");
}

TEST_CASE("what a SIM can say") {
  const auto ends = [](std::string_view answer) {
    GsmBench bench;
    bench.at_sim().hear(answer);
    return bench.code();
  };
  CHECK(ends("+CME ERROR: 10\r\n") == Errc::sim_missing);
  CHECK(ends("+CME ERROR: SIM failure\r\n") == Errc::sim_missing);
  CHECK(ends("ERROR\r\n") == Errc::sim_missing);
  CHECK(ends("+CME ERROR: 11\r\n") == Errc::config);
  CHECK(ends("+CPIN: SIM PIN\r\nOK\r\n") == Errc::config);
  CHECK(ends("+CPIN: SIM PUK\r\nOK\r\n") == Errc::sim_pin_refused);
  CHECK(ends("+CME ERROR: 12\r\n") == Errc::sim_pin_refused);
  CHECK(ends("+CPIN: PH-NET PIN\r\nOK\r\n") == Errc::sim_pin_refused);
  GsmBench busy;
  busy.at_sim();
  for (int i = 0; i < 60 && !busy.ready; ++i) busy.hear("+CME ERROR: 14\r\n").wait(Duration(500));
  CHECK(busy.code() == Errc::sim_missing);
}

TEST_CASE("the network: waiting, denied, foreign, none") {
  CHECK(registration_ends("1", "3", "ERROR") == Errc::registration_denied);
  CHECK(registration_ends("5", "5", "5") == Errc::roaming_refused);
  CHECK(registration_ends("0", "2", "0") == Errc::not_registered);
  CHECK(registration_ends("0", "0", "0") == Errc::not_registered);
  // A circuit-switched call asks the voice network.
  GsmBench voice(GsmOptions{"0298765432"});
  voice.at_sim().sim("READY").registered("1", "3", "3");
  CHECK(voice.log.ends_with("AT+CSQ\r"));
  // Not attached yet: dialling does that.
  GsmBench idle;
  idle.at_sim().sim("READY").registered("1", "0", "ERROR");
  CHECK(idle.log.ends_with("AT+CSQ\r"));
  GsmOptions roams{"*99***1#"};
  roams.roaming = true;
  GsmBench abroad(roams);
  abroad.at_sim().sim("READY").registered("5", "5", "ERROR");
  CHECK(abroad.log.ends_with("AT+CSQ\r"));
}

TEST_CASE("registration is polled each second, and what the modem does not know is asked once") {
  GsmBench bench;
  bench.at_sim().sim("READY").registered("2", "ERROR", "2").wait(Duration(1'000));
  CHECK(bench.log.ends_with("AT+CEREG?\rAT+CREG?\r"));
  bench.hear("+CREG: 0,2\r\nOK\r\n");
  CHECK(bench.log.ends_with("AT+CREG?\rAT+CEREG?\r"));
  bench.hear("+CEREG: 0,1\r\nOK\r\n").hear("+CSQ: 99,99\r\nOK\r\n");
  REQUIRE(bench.ready);
  CHECK_FALSE(bench.ready->error);
  CHECK_FALSE(bench.ready->signal_dbm);
}

TEST_CASE("the registration's own time is kept, and the signal goes with the refusal") {
  GsmOptions options{"*99***1#"};
  options.registration_timeout = Duration(10'000);
  GsmBench bench(options);
  bench.at_sim().sim("READY");
  const TimePoint began = bench.now;
  while (!bench.log.ends_with("AT+CSQ\r")) bench.registered("2", "2", "2").wait(Duration(1'000));
  CHECK(bench.now - began >= Duration(10'000));
  CHECK(bench.now - began <= Duration(11'000));
  bench.hear("+CSQ: 31,0\r\nOK\r\n");
  CHECK(bench.code() == Errc::not_registered);
  CHECK(bench.ready->signal_dbm == -51);
}

TEST_CASE("a silent modem ends it wherever it is, by the table of limits") {
  CHECK(command_limit("AT+CPIN=\"1\"") == Duration(20'000));
  CHECK(command_limit("AT+CPIN?") == Duration(5'000));
  CHECK(command_limit("at+cmee=1") == Duration(2'000));
  CHECK(command_limit("AT+COPS?") == Duration(5'000));
  GsmBench bench;
  bench.wait(Duration(2'000));                     // +CMEE is not needed
  CHECK(bench.log.ends_with("AT+CPIN?\r"));
  bench.wait(Duration(5'000));
  CHECK(bench.code() == Errc::modem_silent);
}

TEST_CASE("a hostile modem costs nothing but time") {
  GsmBench bench;
  for (int i = 0; i < 20'000; ++i) bench.hear("+CPIN: " + std::string(300, '\x1B') + "\n+CREG: 99999999999999999999,,\n+CSQ:\n+CME ERROR:\n");
  bench.wait(Duration(600'000));
  CHECK(bench.ready);
}

TEST_CASE("CME errors by number and by text") {
  CHECK(parse_cme_error("+CME ERROR: 30")->code == Errc::not_registered);
  CHECK(parse_cme_error("+cme error:  no network service ")->number == 30);
  CHECK(parse_cme_error("+CME ERROR: 4711")->meaning == "error 4711");
  CHECK(parse_cme_error("+CME ERROR: \x1B[2J")->meaning == "\\x1B[2J");
  CHECK(parse_cme_error("+CME ERROR: 99999999999999999999")->number == -1);
  CHECK_FALSE(parse_cme_error("ERROR"));
  CHECK_FALSE(parse_cme_error("+CMS ERROR: 10"));
}

TEST_CASE("the context of a number, and the commands of a plan") {
  CHECK(context_of("*99***3#") == 3);
  CHECK(context_of("*99#") == 1);
  CHECK(context_of("*99***#") == 1);
  CHECK(context_of("*99***99999999999999999999#") == 1);
  CHECK(context_of("0298765432") == 1);
  CHECK(gsm_commands({"*99***1#"}).size() == 6);
}
