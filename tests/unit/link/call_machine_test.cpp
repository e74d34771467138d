// SPDX-License-Identifier: MIT
#include "link/call_machine.hpp"

#include <doctest/doctest.h>

#include "unit/let_pass.hpp"

using namespace longline;
using namespace longline::link;

namespace {

config::Link stream_link() {
  config::Link link;
  link.name = "isp";
  link.init = {"ATZ"};
  link.numbers = {"111", "222"};
  link.attempts = 3;
  link.interval = Duration(60'000);
  link.user = "alice";
  link.network = config::Network::stream;
  return link;
}

constexpr const char* kScript = R"(proc main
  waitfor "name:" until 30
  if $SUCCESS then
    transmit $USERID, raw
    transmit "^M"
    waitfor "word:" until 20
    if $SUCCESS then
      transmit $PASSWORD, raw
      transmit "^M"
    endif
  endif
endproc
)";

/// The call and the world around it; what happens is written down as text.
struct Bench {
  explicit Bench(config::Link link = stream_link(), const char* script = kScript) : machine(options(std::move(link), script)) {}
  static CallOptions options(config::Link link, const char* script) {
    CallOptions out;
    out.link = std::move(link);
    out.password = Secret("sesame");
    const bool is_scp = script != nullptr && std::string_view(script).find("proc") != std::string_view::npos;
    if (script != nullptr) out.script = script::program_of(script::parse_login_script(is_scp ? "isp.scp" : "isp.chat", script));
    return out;
  }
  Bench& start() {
    machine.start(now);
    drain();
    return *this;
  }
  void drain() {
    while (std::optional<CallAction> action = machine.next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) written += write->bytes;
      if (const auto* dtr = std::get_if<SetDtr>(&*action)) dtr_is_on = dtr->on;
      if (const auto* changed = std::get_if<StateChanged>(&*action)) states += std::string(to_string(changed->state)) + " ";
      if (const auto* data = std::get_if<Deliver>(&*action)) delivered += data->bytes;
      if (const auto* happened = std::get_if<Happened>(&*action)) events += happened->event.event + " ";
      if (std::holds_alternative<StartNetwork>(*action)) started_network = true;
      if (const auto* stop = std::get_if<StopNetwork>(&*action)) {
        stopped_network = true;
        stopped_at_once = stop->how == StopNetwork::How::at_once;
      }
      if (auto* end = std::get_if<Ended>(&*action)) {
        CHECK_FALSE(ended);
        ended = std::move(*end);
      }
    }
  }
  Bench& hear(std::string_view bytes) {
    machine.on_bytes(bytes, now);
    drain();
    return *this;
  }
  Bench& wait(Duration d) {
    let_pass(machine, now, d, [this] { drain(); });
    return *this;
  }
  Bench& dcd(bool on) {
    machine.on_carrier(on, now);
    drain();
    return *this;
  }
  Bench& to_dial() { return hear("\r\nOK\r\n").hear("\r\nOK\r\n").wait(Duration(250)); }
  Bench& to_login() { return start().to_dial().hear("\r\nCONNECT 28800\r\n").wait(Duration(50)); }
  Bench& to_up() { return to_login().hear("User name:").hear("Password:"); }
  /// The modem obeys the hang-up.
  Bench& hung_up() { return wait(Duration(650)).hear("\r\nOK\r\n").wait(Duration(2'000)).hear("\r\nOK\r\n").wait(Duration(3'000)); }

  TimePoint now{Duration(1'000'000)};
  CallMachine machine;
  std::string written, states, delivered, events;
  bool dtr_is_on = false;
  bool started_network = false, stopped_network = false, stopped_at_once = false;
  std::optional<Ended> ended;
};

}  // namespace

TEST_CASE("the rate is what the modem says it is") {
  CallFacts facts;
  CHECK_FALSE(facts.rate());
  for (const auto& [connect, rate] : std::initializer_list<std::pair<const char*, std::optional<std::int64_t>>>{
           {"CONNECT", std::nullopt}, {"CONNECT 28800/ARQ", 28800}, {"CONNECT 115200", 115200}, {"CONNECT FAST", std::nullopt}}) {
    facts.connect = connect;
    CHECK(facts.rate() == rate);
  }
}

TEST_CASE("dial, log in, carry data, hang up") {
  Bench bench;
  bench.to_up();
  CHECK(bench.states == "dialing login network up ");
  CHECK(bench.written == "AT\rATZ\rATDT111\ralice\rsesame\r");
  bench.hear("220 hub\r\n");
  CHECK(bench.delivered == "220 hub\r\n");
  bench.machine.send("EHLO x\r\n", bench.now);
  bench.drain();
  CHECK(bench.written.ends_with("EHLO x\r\n"));
  bench.machine.hang_up(std::nullopt, bench.now);
  bench.drain();
  CHECK_FALSE(bench.dtr_is_on);
  bench.hung_up();
  REQUIRE(bench.ended);
  CHECK_FALSE(bench.ended->error);
  CHECK(bench.states == "dialing login network up closing ");
  CHECK(bench.events == "call.connected link.up ");
  CHECK(bench.machine.facts().bytes_out == 13 + 8);
  CHECK(bench.machine.facts().bytes_in == 10 + 9 + 9);
}

TEST_CASE("a chat script logs in, too, and what it aborts on ends the call") {
  const char* chat = "ABORT incorrect TIMEOUT 9 name: $USERID word: $PASSWORD ready \\c";
  for (const char* ends : {"ready", "incorrect"}) {
    Bench bench(stream_link(), chat);
    bench.to_login().hear("User name:").hear("Password:").hear(ends);
    CHECK(bench.written.ends_with("alice\rsesame\r"));
    CHECK((bench.machine.state() == LinkState::up) == (std::string_view(ends) == "ready"));
  }
}

TEST_CASE("a failed login leaves its dialogue, without secrets; one that succeeds leaves nothing") {
  Bench bench;
  bench.to_login().hear("Welcome\r\nUser name:").hear("Pass").hear("word:").hear("sesa").hear("me?\r\n");
  CHECK(bench.machine.take_failed_login() == "");
  Bench failed;
  failed.start().to_dial().hear("\r\nCONNECT 28800\r\nWelcome\r\nUser").wait(Duration(50)).hear(" name:").wait(Duration(21'000));
  REQUIRE(failed.events == "call.connected login.failed ");
  const std::string dialogue = failed.machine.take_failed_login();
  CHECK(dialogue.starts_with("< \"Welcome\\r\\n\"\n"));
  CHECK(dialogue.find("> \"alice\\r\"") != std::string::npos);
  CHECK(dialogue.find("+20") != std::string::npos);
  CHECK(failed.machine.take_failed_login() == "");
  const auto events = script::parse_transcript("t", dialogue);
  CHECK(events);
}

TEST_CASE("the dialogue of a failed login masks what was sent and what the host echoes, and tells a lost carrier") {
  Bench bench(stream_link(), "ABORT incorrect name: $USERID word: $PASSWORD ready \\c");
  bench.to_login().hear("name:").hear("word:").hear("sesa").hear("me\r\nLogin incorrect\r\n");
  const std::string dialogue = bench.machine.take_failed_login();
  CHECK(dialogue.find("********") != std::string::npos);
  CHECK(dialogue.find("sesame") == std::string::npos);
  CHECK(dialogue.find("incorrect") != std::string::npos);
  Bench cut;
  cut.to_login().hear("name:").dcd(true).dcd(false);
  CHECK(cut.machine.take_failed_login().find("! carrier-lost\n") != std::string::npos);
}

TEST_CASE("a flood before the prompt does not fill the memory") {
  Bench bench;
  bench.to_login();
  for (int i = 0; i < 100; ++i) bench.hear(std::string(8192, 'x'));
  bench.wait(Duration(31'000));
  const std::string dialogue = bench.machine.take_failed_login();
  CHECK(dialogue.size() > 1000);
  CHECK(dialogue.size() < 80'000);
}

TEST_CASE("bytes behind the script's last match belong to the user of the line, at every split") {
  const std::string all = "User name:Password:220 hub ESMTP\r\n";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    Bench bench;
    bench.to_login().hear(all.substr(0, cut)).hear(all.substr(cut));
    CHECK(bench.delivered == "220 hub ESMTP\r\n");
  }
}

TEST_CASE("a host that goes silent ends the call within the script's own until") {
  Bench bench;
  bench.to_login().hear("User name:").wait(Duration(19'999));
  CHECK(bench.states == "dialing login ");
  bench.wait(Duration(1));
  CHECK(bench.states == "dialing login closing ");
  bench.hung_up();
  REQUIRE(bench.ended);
  REQUIRE(bench.ended->error);
  CHECK(bench.ended->error->code == Errc::login_timeout);
  CHECK(bench.ended->error->stage == Stage::login);
  CHECK(bench.events == "call.connected login.failed ");
}

TEST_CASE("a wait without until is ended by login-timeout") {
  config::Link link = stream_link();
  link.login_timeout = Duration(45'000);
  Bench bench(link, "proc main waitfor \"never\" endproc");
  bench.to_login().wait(Duration(44'949));
  CHECK_FALSE(bench.ended);
  CHECK(bench.states == "dialing login ");
  bench.wait(Duration(1)).hung_up();
  REQUIRE(bench.ended);
  CHECK(bench.ended->error->stage == Stage::login);
  CHECK(exit_status(bench.ended->error->code) == ExitStatus::temporary);
}

TEST_CASE("busy, then the other number, then a round of waiting") {
  Bench bench;
  bench.start().to_dial().hear("\r\nBUSY\r\n");
  CHECK_FALSE(bench.ended);
  bench.to_dial();
  CHECK(bench.written.ends_with("ATDT222\r"));
  bench.hear("\r\nNO ANSWER\r\n").wait(Duration(59'999));
  CHECK(bench.written.ends_with("ATDT222\r"));
  bench.wait(Duration(1)).to_dial();
  CHECK(bench.written.ends_with("ATDT111\r"));
  bench.hear("\r\nBUSY\r\n").wait(Duration(150)).hear("\r\nOK\r\n");
  REQUIRE(bench.ended);
  CHECK(bench.ended->error->code == Errc::line_busy);
  CHECK(bench.events == "call.failed call.failed call.failed ");
}

TEST_CASE("a number that does not answer in time is broken off before the next is dialled") {
  Bench bench;
  bench.start().to_dial().wait(Duration(60'000));
  CHECK(bench.written.ends_with("ATDT111\r\r"));
  bench.wait(Duration(150));
  CHECK(bench.written.ends_with("\r\rATH\r"));
  bench.hear("\r\nOK\r\n").to_dial();
  CHECK(bench.written.ends_with("ATDT222\r"));
}

TEST_CASE("carrier lost at any byte of the login ends the call at once") {
  const std::string login = "User name:Password:";
  for (std::size_t bytes = 0; bytes < login.size(); ++bytes) {
    Bench bench;
    bench.to_login().hear(login.substr(0, bytes)).hear("\r\nNO CARRIER\r\n").wait(Duration(1'000)).hung_up();
    REQUIRE(bench.ended);
    REQUIRE(bench.ended->error);
    CHECK(bench.ended->error->code == Errc::line_dropped);
    CHECK(bench.ended->error->stage == Stage::login);
  }
}

TEST_CASE("a port that vanishes ends the call in every state") {
  for (int state = 0; state < 4; ++state) {
    Bench bench;
    bench.start();
    if (state >= 1) bench.to_dial();
    if (state >= 2) bench.hear("\r\nCONNECT\r\n").wait(Duration(50));
    if (state >= 3) bench.hear("User name:").hear("Password:");
    bench.machine.on_closed(bench.now);
    bench.drain();
    REQUIRE(bench.ended);
    CHECK(bench.ended->error);
    CHECK_FALSE(bench.machine.deadline());
  }
}

TEST_CASE("a dropped line is an accident, unless its user was done with it") {
  for (const bool over : {false, true}) {
    Bench bench;
    bench.to_up();
    bench.machine.session_over(over);
    bench.hear("\r\nNO CARRIER\r\n").wait(Duration(1'000)).hung_up();
    REQUIRE(bench.ended);
    CHECK(bench.ended->error.has_value() == !over);
  }
}

TEST_CASE("where there is a DCD wire, it decides and the words do not") {
  Bench bench;
  bench.start().to_dial().dcd(false).dcd(true).hear("\r\nCONNECT 28800\r\n").wait(Duration(50)).dcd(true);
  bench.hear("User name:").hear("Password:");
  bench.hear("\r\nNO CARRIER\r\n").wait(Duration(5'000));
  CHECK(bench.states == "dialing login network up ");
  CHECK(bench.delivered == "\r\nNO CARRIER\r\n");
  bench.dcd(false);
  CHECK(bench.states == "dialing login network up closing ");
}

TEST_CASE("a DCD wire that is on while the number is dialled is tied: the words count") {
  // Off before the dial command says nothing: a reset of the modem may blink.
  Bench bench;
  bench.start().dcd(false).to_dial().dcd(true).hear("\r\nCONNECT 28800\r\n").wait(Duration(50)).dcd(true);
  bench.hear("User name:").hear("Password:").hear("\r\nNO CARRIER\r\n");
  CHECK(bench.machine.suspects_carrier());
  bench.wait(Duration(1'000));
  CHECK(bench.states == "dialing login network up closing ");
  CHECK(bench.delivered.empty());
}

TEST_CASE("DCD that goes off during a call ends it, also where it was on all the time") {
  for (const bool in_login : {true, false}) {
    Bench bench;
    bench.start().to_dial().dcd(true).hear("\r\nCONNECT 28800\r\n").wait(Duration(50)).dcd(true);
    if (!in_login) bench.hear("User name:").hear("Password:");
    bench.dcd(false);
    CHECK(bench.states.ends_with("closing "));
  }
}

TEST_CASE("on a cable DCD is the other end's DTR: it needs no proof") {
  config::Link link = stream_link();
  link.modem = config::ModemKind::none;
  Bench bench(link, nullptr);
  bench.start().dcd(true).hear("\r\nNO CARRIER\r\n").wait(Duration(5'000));
  CHECK(bench.states == "dialing network up ");
  CHECK(bench.delivered == "\r\nNO CARRIER\r\n");
  bench.dcd(false);
  REQUIRE(bench.ended);
  CHECK(bench.ended->error);
}

TEST_CASE("a DCD wire that was never seen on is not connected") {
  Bench bench;
  bench.to_up();
  bench.machine.on_carrier(false, bench.now);
  bench.drain();
  CHECK(bench.states == "dialing login network up ");
}

TEST_CASE("a call that nobody uses, and one that lasts too long, are hung up") {
  config::Link link = stream_link();
  link.idle = Duration(120'000);
  link.max_call = Duration(600'000);
  Bench idle(link);
  idle.to_up().wait(Duration(120'000)).hung_up();
  REQUIRE(idle.ended);
  CHECK(idle.ended->error->code == Errc::idle_timeout);

  Bench busy(link);
  busy.to_up();
  for (int i = 0; i < 11; ++i) {
    busy.wait(Duration(60'000));
    busy.hear("x");
  }
  CHECK(busy.states == "dialing login network up closing ");
  busy.hung_up();
  REQUIRE(busy.ended);
  CHECK(busy.ended->error->code == Errc::call_limit);
  CHECK(busy.ended->error->stage == Stage::policy);
}

TEST_CASE("where time costs, an idle line is let go just before the next increment") {
  config::Link link = stream_link();
  link.idle = Duration(20'000);
  link.tariff.per_minute = 0.05;
  Bench bench(link);
  bench.to_up();   // 50 ms after CONNECT
  bench.wait(Duration(56'900));
  CHECK(bench.states == "dialing login network up ");
  bench.wait(Duration(100));
  CHECK(bench.states == "dialing login network up closing ");

  // Traffic in what is paid for starts the idle time anew, and may cost the next increment.
  Bench used(link);
  used.to_up().wait(Duration(45'000)).hear("x").wait(Duration(70'000));
  CHECK(used.states == "dialing login network up ");
  used.wait(Duration(2'000));
  CHECK(used.states == "dialing login network up closing ");
}

TEST_CASE("hours and budget end a call in every state, and on time") {
  const auto why = [] { return Error(Errc::call_limit, "the hours of the link ended", Stage::policy); };
  for (int state = 0; state < 5; ++state) {
    CAPTURE(state);
    config::Link link = stream_link();
    link.numbers = {"111"};
    link.idle = Duration(10'000'000);
    Bench bench(link);
    bench.start();
    if (state >= 1) bench.to_dial();
    if (state == 2) bench.hear("\r\nBUSY\r\n");   // waits for the next round
    if (state >= 3) bench.hear("\r\nCONNECT\r\n").wait(Duration(50));
    if (state >= 4) bench.hear("User name:").hear("Password:");
    const TimePoint end = bench.now + Duration(1'500);
    bench.machine.must_end(MustEnd{end, why()});
    if (state == 2) CHECK(bench.machine.deadline() == end);
    bench.wait(Duration(1'499));
    CHECK(bench.states.find("closing") == std::string::npos);
    bench.wait(Duration(1));
    CHECK(bench.states.find("closing") != std::string::npos);
    bench.wait(Duration(5'000));
    REQUIRE(bench.ended);
    CHECK(bench.ended->error->code == Errc::call_limit);
  }
  Bench longer;
  longer.to_up();
  longer.machine.must_end(MustEnd{longer.now + Duration(1'000), why()});
  longer.machine.must_end(std::nullopt);
  longer.wait(Duration(2'000));
  CHECK(longer.states == "dialing login network up ");
}

TEST_CASE("asked to hang up in any state, the call ends within five seconds") {
  for (int state = 0; state < 4; ++state) {
    Bench bench;
    bench.start();
    if (state >= 1) bench.to_dial();
    if (state >= 2) bench.hear("\r\nCONNECT\r\n").wait(Duration(50));
    if (state >= 3) bench.hear("User name:").hear("Password:");
    bench.machine.hang_up(std::nullopt, bench.now);
    bench.drain();
    bench.wait(Duration(5'000));
    REQUIRE(bench.ended);
    CHECK_FALSE(bench.ended->error);
  }
}

TEST_CASE("the far end hung up, and then we do: the modem is on hook already") {
  Bench bench;
  bench.to_up().hear("221 bye\r\n\r\nNO CARRIER\r\n");
  bench.machine.hang_up(std::nullopt, bench.now);
  bench.drain();
  bench.wait(Duration(150));
  CHECK(bench.written.ends_with("ATH\r"));
  bench.hear("\r\nOK\r\n");
  REQUIRE(bench.ended);
  CHECK_FALSE(bench.ended->error);
}

TEST_CASE("a null-modem cable is up at once") {
  config::Link link = stream_link();
  link.modem = config::ModemKind::none;
  Bench bench(link, nullptr);
  bench.start();
  CHECK(bench.states == "dialing network up ");
  CHECK(bench.written.empty());
  bench.machine.hang_up(std::nullopt, bench.now);
  bench.drain();
  REQUIRE(bench.ended);
  CHECK_FALSE(bench.dtr_is_on);
}

namespace {

config::Link ppp_link() {
  config::Link link = stream_link();
  link.network = config::Network::ppp;
  link.modem = config::ModemKind::none;
  return link;
}

/// A PPP link on a leased line, without a script.
struct PppBench : Bench {
  explicit PppBench(config::Link link = ppp_link()) : Bench(std::move(link), nullptr) { start(); }
  PppBench& come_up() {
    machine.network_up(now);
    drain();
    return *this;
  }
};

}  // namespace

TEST_CASE("a PPP link is up when PPP says so, not before") {
  PppBench bench;
  CHECK(bench.states == "dialing network ");
  CHECK(bench.started_network);
  bench.hear("\x7e\xff");
  CHECK(bench.delivered == "\x7e\xff");
  bench.machine.send("frame", bench.now);
  bench.drain();
  CHECK(bench.written == "frame");
  bench.come_up();
  CHECK(bench.states == "dialing network up ");
  CHECK(bench.events == "call.connected link.up ");
}

TEST_CASE("PPP that is never up ends the call in its time") {
  PppBench bench;
  bench.wait(Duration(59'000));
  CHECK_FALSE(bench.stopped_network);
  bench.wait(Duration(1'000));
  CHECK(bench.stopped_network);
  CHECK_FALSE(bench.stopped_at_once);
  CHECK_FALSE(bench.ended);
  bench.wait(Duration(3'000));
  REQUIRE(bench.ended);
  CHECK(bench.stopped_at_once);
  CHECK(bench.ended->error->code == Errc::ppp_timeout);
  CHECK(bench.events == "call.connected network.failed ");
}

TEST_CASE("PPP that fails is the call's error") {
  PppBench bench;
  bench.machine.network_ended(Error(Errc::auth_refused, "no", Stage::auth), bench.now);
  bench.drain();
  REQUIRE(bench.ended);
  CHECK(bench.ended->error->code == Errc::auth_refused);
  CHECK_FALSE(bench.stopped_network);
  CHECK(bench.events == "call.connected network.failed ");
}

TEST_CASE("hanging up ends PPP first, and its last frames still pass") {
  PppBench bench;
  bench.come_up();
  bench.machine.hang_up(std::nullopt, bench.now);
  bench.drain();
  CHECK(bench.stopped_network);
  CHECK_FALSE(bench.ended);
  bench.hear("ack");
  bench.machine.send("bye", bench.now);
  bench.drain();
  CHECK(bench.delivered == "ack");
  CHECK(bench.written == "bye");
  bench.machine.network_ended(std::nullopt, bench.now);
  bench.drain();
  REQUIRE(bench.ended);
  CHECK_FALSE(bench.ended->error);
}

TEST_CASE("idle counts what somebody uses, not what is on the line") {
  config::Link link = ppp_link();
  link.idle = Duration(60'000);
  PppBench bench(link);
  bench.come_up();
  bench.wait(Duration(50'000));
  bench.hear("an LCP echo");
  bench.machine.on_traffic(bench.now);
  bench.wait(Duration(50'000));
  bench.hear("another");
  CHECK_FALSE(bench.stopped_network);
  bench.wait(Duration(10'000));
  CHECK(bench.stopped_network);
}

TEST_CASE("a line that is lost under PPP takes it along at once") {
  config::Link link = stream_link();
  link.network = config::Network::ppp;
  Bench bench(link, nullptr);
  bench.to_login();
  bench.machine.network_up(bench.now);
  bench.hear("\r\nNO CARRIER\r\n");
  bench.wait(Duration(1'000));
  CHECK(bench.stopped_at_once);
  bench.wait(Duration(10'000));
  REQUIRE(bench.ended);
  CHECK(bench.ended->error->code == Errc::line_dropped);
}

TEST_CASE("a line that is lost while PPP comes up waits for what PPP has to say") {
  config::Link link = stream_link();
  link.network = config::Network::ppp;
  for (const bool says : {true, false}) {
    CAPTURE(says);
    Bench bench(link, nullptr);
    bench.to_login().hear("\r\nNO CARRIER\r\n").wait(Duration(1'000));
    CHECK(bench.stopped_network);
    CHECK_FALSE(bench.stopped_at_once);
    CHECK_FALSE(bench.ended);
    if (says) {
      bench.machine.network_ended(Error(Errc::auth_refused, "no", Stage::auth), bench.now);
      bench.drain();
    }
    bench.wait(Duration(10'000));
    REQUIRE(bench.ended);
    CHECK(bench.ended->error->code == (says ? Errc::auth_refused : Errc::line_dropped));
    CHECK(bench.ended->error->stage == (says ? Stage::auth : Stage::ppp));
  }
}
