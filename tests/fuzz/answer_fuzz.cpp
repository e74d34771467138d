// SPDX-License-Identifier: MIT
// A modem that says anything at any time to whoever waits for a call: bounded actions, and the next call can always come.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "modem/answer_machine.hpp"

using namespace longline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  modem::AnswerOptions options;
  options.init = {"ATX4"};
  options.rings = 1 + data[0] % 3;
  options.has_modem = (data[0] & 0x80) == 0;
  modem::AnswerMachine machine(options);
  TimePoint now{Duration(1'000'000)};
  bool answered = false;
  const auto drain = [&] {
    for (int actions = 0; std::optional<modem::AnswerAction> action = machine.next_action(); ++actions) {
      if (actions > 10'000) std::abort();
      if (std::holds_alternative<modem::Answered>(*action)) {
        if (answered) std::abort();
        answered = true;
      }
    }
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
      case 1:
        now += Duration(op * 7);
        machine.on_time(now);
        break;
      case 2:
        if (op == 0xFA) machine.on_closed(now);
        if (op == 0x02) machine.accept(now);
        if (op == 0xF2) machine.on_trouble(Error(Errc::no_device, "gone"), now);
        break;
      case 3:
        if (answered) {
          answered = false;
          machine.start(now);
        }
        break;
      default: {
        const std::size_t length = std::min<std::size_t>(op >> 3, size - i);
        machine.on_bytes({reinterpret_cast<const char*>(data + i), length}, now);
        i += length;
      }
    }
    drain();
    // With a modem it never waits without an end, so that a modem that died is noticed.
    if (options.has_modem && !answered && !machine.deadline()) std::abort();
  }
  return 0;
}
