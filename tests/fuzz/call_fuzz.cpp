// SPDX-License-Identifier: MIT
// A whole call against a modem and a host that send anything at any time: no crash, no endless state, bounded actions.
#include <cstdint>
#include <cstdlib>

#include "link/call_machine.hpp"
#include "script/scp/script.hpp"

using namespace longline;

namespace {

std::shared_ptr<const script::scp::Program> program() {
  static const auto parsed = script::parse_scp(
      "f.scp", "proc main waitfor \"name:\" until 9 if $SUCCESS then transmit $USERID, raw transmit \"^M\" endif endproc");
  return parsed.program;
}

link::CallOptions options(std::uint8_t kind) {
  link::CallOptions out;
  out.link.name = "f";
  out.link.network = config::Network::stream;
  out.link.numbers = {"1", "2"};
  out.link.attempts = 1 + kind % 4;
  out.link.interval = Duration(kind % 3 * 1000);
  out.link.user = "u";
  if ((kind & 0x20) != 0) out.link.tariff.per_minute = 0.05;
  if ((kind & 0x40) != 0) out.link.modem = config::ModemKind::none;
  if ((kind & 0x60) == 0x20) {
    out.link.modem = config::ModemKind::gsm;
    out.link.numbers = {"*99***1#"};
    out.link.apn = "a";
    out.link.reset_command = {"r"};
    out.sim_pin.pin = Secret("1234");
  }
  if ((kind & 0x80) != 0) out.script = program();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  link::CallMachine machine(options(data[0]));
  TimePoint now{Duration(1'000'000)};
  int ends = 0;
  const auto drain = [&] {
    for (int actions = 0; std::optional<link::CallAction> action = machine.next_action(); ++actions) {
      if (actions > 10'000) std::abort();
      if (std::holds_alternative<link::Ended>(*action)) ++ends;
    }
    if (ends > 1) std::abort();
  };
  machine.start(now);
  drain();
  for (std::size_t i = 1; i < size;) {
    const std::uint8_t op = data[i++];
    switch (op & 7) {
      case 0:
        if (const auto when = machine.deadline()) now = std::max(now, *when);
        machine.on_time(now);
        break;
      case 1: now += Duration(op * 7); machine.on_time(now); break;
      case 2: machine.on_carrier((op & 8) != 0, now); break;
      case 3: machine.send("x", now); break;
      case 4: machine.session_over((op & 8) != 0); break;
      case 5:
        if (op == 0xFD) machine.on_closed(now);
        if (op == 0xF5) machine.hang_up(std::nullopt, now);
        if (op == 0xED) machine.must_end(link::MustEnd{now + Duration(500), Error(Errc::call_limit, "the hours ended", Stage::policy)});
        if (op == 0xE5) machine.must_end(std::nullopt);
        if (op == 0xDD) machine.on_reopened({}, now);
        if (op == 0xD5) machine.on_reopened({Error(Errc::no_device, "gone"), "x"}, now);
        break;
      default: {
        const std::size_t length = std::min<std::size_t>(op >> 3, size - i);
        machine.on_bytes({reinterpret_cast<const char*>(data + i), length}, now);
        i += length;
      }
    }
    drain();
  }
  // Left alone, every call ends by itself.
  for (int steps = 0; machine.deadline(); ++steps) {
    if (steps > 10'000) std::abort();
    now = std::max(now, *machine.deadline());
    machine.on_time(now);
    drain();
  }
  if (ends != 1) std::abort();
  return 0;
}
