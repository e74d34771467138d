// SPDX-License-Identifier: MIT
#include "link/demand_machine.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace longline;
using namespace longline::link;

namespace {

/// A ping to 192.168.100.NUMBER of so many bytes.
std::string ping(int number = 15, std::size_t size = 32) {
  std::string packet(size, '\0');
  packet[0] = '\x45';
  packet[2] = static_cast<char>(size >> 8);
  packet[3] = static_cast<char>(size & 0xff);
  packet[8] = 64;
  packet[9] = 1;
  packet[16] = static_cast<char>(192);
  packet[17] = static_cast<char>(168);
  packet[18] = 100;
  packet[19] = static_cast<char>(number);
  packet[20] = 8;
  return packet;
}

std::string chatter() {
  std::string packet = ping();
  packet[20] = 9;   // a router advertises itself
  return packet;
}

struct DemandBench {
  explicit DemandBench(int rounds = 3) : machine({rounds, Duration(60'000)}) {
    machine.start();
    drain();
  }
  void drain() {
    while (std::optional<DemandAction> action = machine.next_action()) {
      if (std::get_if<ShowRoutes>(&*action) != nullptr) log += "<routes>";
      if (const auto* hide = std::get_if<HideRoutes>(&*action)) log += "<no routes: " + hide->reason + ">";
      if (const auto* call = std::get_if<CallLink>(&*action)) log += call->last_round ? "<call, last>" : "<call>";
      if (const auto* packet = std::get_if<SendOn>(&*action)) log += "<" + std::to_string(static_cast<unsigned char>(packet->packet[19])) + ">";
    }
  }
  DemandBench& packet(const std::string& bytes = ping()) {
    machine.on_packet(bytes, now);
    drain();
    return *this;
  }
  DemandBench& up() {
    machine.on_link_up(now);
    drain();
    return *this;
  }
  DemandBench& down() {
    machine.on_link_down(now);
    drain();
    return *this;
  }
  DemandBench& fails(Errc code, double jitter = 0.5) {
    machine.on_call_failed(Error(code, std::string(to_string(code))), jitter, now);
    drain();
    return *this;
  }
  DemandBench& wait(Duration d) {
    now += d;
    machine.on_time(now);
    drain();
    return *this;
  }
  std::string took() { return std::exchange(log, {}); }

  TimePoint now{Duration(1'000'000)};
  DemandMachine machine;
  std::string log;
};

constexpr Duration kOneMinute{60'000};

}  // namespace

TEST_CASE("real traffic calls once, waits, and goes on when the link is up") {
  DemandBench bench;
  CHECK(bench.took() == "<routes>");
  bench.packet(chatter()).packet("rubbish");
  CHECK(bench.took().empty());
  bench.packet(ping(15)).packet(ping(16)).packet(chatter());
  CHECK(bench.took() == "<call>");
  CHECK(bench.machine.is_calling());
  bench.up();
  CHECK(bench.took() == "<15><16>");
  CHECK_FALSE(bench.machine.routes_here());
  // On its way to us when the routes left; later it is a loop, or somebody's own route.
  bench.packet(ping(17)).wait(Duration(3'001)).packet(ping(18));
  CHECK(bench.took() == "<17>");
  bench.down();
  CHECK(bench.took() == "<routes>");
  bench.packet();
  CHECK(bench.took() == "<call>");
}

TEST_CASE("what sends on for ever is not sent on for ever") {
  DemandBench bench;
  bench.up().took();
  for (int i = 0; i < 1000; ++i) bench.packet();
  CHECK(bench.took().size() == 256 * 4);
}

TEST_CASE("so many packets wait, and the newest of them") {
  DemandBench bench;
  for (int i = 0; i < 200; ++i) bench.packet(ping(i));
  bench.took();
  bench.up();
  std::string sent = bench.took();
  CHECK(sent.starts_with("<136>"));
  CHECK(sent.ends_with("<199>"));
  bench.down().took();
  for (int i = 0; i < 50; ++i) bench.packet(ping(i, 16'000));
  bench.took();
  bench.up();
  CHECK(bench.took() == "<46><47><48><49>");
  bench.down().took();
  bench.packet(ping(1)).wait(kOneMinute).packet(ping(2)).wait(Duration(1)).up();
  CHECK(bench.took() == "<call><2>");
}

TEST_CASE("two ends that find each other busy try again at different times, and are free to be called meanwhile") {
  const auto second_call = [](double jitter) {
    DemandBench bench;
    bench.packet().took();
    bench.fails(Errc::line_busy, jitter);
    CHECK_FALSE(bench.machine.is_calling());
    Duration waited{0};
    while (bench.took() != "<call>") {
      // Whoever wanted it asks again.
      bench.packet().wait(Duration(1'000));
      waited += Duration(1'000);
      REQUIRE(waited < Duration(100'000));
    }
    return waited;
  };
  CHECK(second_call(0) == Duration(30'000));
  CHECK(second_call(0.25) == Duration(45'000));
  CHECK(second_call(1) == Duration(90'000));
  DemandBench bench;
  bench.packet().took();
  bench.fails(Errc::line_busy);
  bench.machine.on_link_coming();   // the other end calls
  bench.up();
  CHECK(bench.took() == "<15>");
  bench.wait(kOneMinute);
  CHECK(bench.took().empty());
}

TEST_CASE("a modem that is in a call, perhaps with the other end, is no link that cannot be reached") {
  DemandBench bench(2);
  bench.packet().took();
  for (int i = 0; i < 5; ++i) {
    bench.fails(Errc::port_in_use, 0);
    CHECK(bench.took().empty());
    bench.wait(Duration(25'000)).packet().wait(Duration(6'000));
    CHECK(bench.took() == "<call>");
  }
  bench.fails(Errc::port_in_use, 0).up();
  CHECK(bench.took().find("no routes") == std::string::npos);
}

TEST_CASE("nobody who waits, no further round") {
  DemandBench bench;
  bench.packet().took();
  bench.fails(Errc::no_answer, 1).wait(Duration(90'000));
  CHECK(bench.took().empty());
  bench.packet();
  CHECK(bench.took() == "<call>");
}

TEST_CASE("when all rounds have failed the routes are hidden, for longer each time") {
  DemandBench bench(2);
  bench.took();
  const auto surrender = [&] {
    bench.packet().fails(Errc::no_answer, 0.5).packet().wait(kOneMinute).fails(Errc::no_answer, 0.5);
    return bench.took();
  };
  CHECK(surrender() == "<call><call, last><no routes: no-answer>");
  bench.packet();
  CHECK(bench.took().empty());
  bench.wait(kOneMinute - Duration(1));
  CHECK(bench.took().empty());
  bench.wait(Duration(1));
  CHECK(bench.took() == "<routes>");
  surrender();
  bench.wait(2 * kOneMinute - Duration(1));
  CHECK(bench.took().empty());
  bench.wait(Duration(1));
  CHECK(bench.took() == "<routes>");
  for (int i = 0; i < 6; ++i) {
    surrender();
    bench.wait(10 * kOneMinute).took();
  }
  surrender();
  bench.wait(10 * kOneMinute - Duration(1));
  CHECK(bench.took().empty());
  bench.wait(Duration(1));
  CHECK(bench.took() == "<routes>");
  // A success makes up for it.
  bench.packet().up().down().took();
  surrender();
  bench.wait(kOneMinute);
  CHECK(bench.took() == "<routes>");
}

TEST_CASE("what only a person can mend hides the routes at once") {
  DemandBench bench;
  bench.packet().took();
  bench.fails(Errc::auth_refused);
  CHECK(bench.took() == "<no routes: auth-refused>");
  bench.wait(10 * kOneMinute);
  CHECK(bench.took() == "<routes>");
  // Somebody called by hand meanwhile.
  bench.packet().fails(Errc::no_dial_tone).took();
  bench.up().down();
  CHECK(bench.took() == "<routes>");
}

TEST_CASE("a link that nobody may call now has no routes") {
  DemandBench bench;
  bench.took();
  bench.machine.on_unreachable("dial-out-hours");
  bench.drain();
  CHECK(bench.took() == "<no routes: dial-out-hours>");
  bench.machine.on_unreachable("dial-out-hours");
  bench.packet();
  CHECK(bench.took().empty());
  bench.machine.on_unreachable(std::nullopt);
  bench.drain();
  CHECK(bench.took() == "<routes>");
  bench.packet().took();
  bench.fails(Errc::outside_hours);
  CHECK(bench.took() == "<no routes: outside-hours>");
  bench.machine.on_unreachable("dial-out-hours");
  bench.drain();
  bench.wait(5 * kOneMinute);
  CHECK(bench.took().empty());
  bench.machine.on_unreachable(std::nullopt);
  bench.drain();
  CHECK(bench.took() == "<routes>");
}

TEST_CASE("hung up by hand is no reason to call again") {
  DemandBench bench;
  bench.packet().took();
  bench.fails(Errc::interrupted).wait(10 * kOneMinute);
  CHECK(bench.took().empty());
  bench.packet();
  CHECK(bench.took() == "<call>");
}

TEST_CASE("somebody else's call that fails is followed by ours when packets wait") {
  DemandBench bench;
  bench.machine.on_link_coming();
  bench.packet();
  CHECK(bench.took() == "<routes><call>");   // which joins it
  bench.fails(Errc::line_busy).took();
  bench.machine.on_link_coming();
  bench.down();
  CHECK(bench.took().empty());               // a round is due anyway
  DemandBench idle;
  idle.took();
  idle.machine.on_link_coming();
  idle.down();
  CHECK(idle.took().empty());
}
