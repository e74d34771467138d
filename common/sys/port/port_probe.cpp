// SPDX-License-Identifier: MIT
#include "sys/port/port_probe.hpp"

#include <poll.h>

#include <algorithm>
#include <filesystem>

#include "sys/port/port.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr Duration kLongestWait{10'000};   // the machine ends by itself before it

/// Writes what the machine says; its end, if that is among it. False: the line is gone.
bool carry_out(modem::ProbeMachine& machine, ByteStream& line, std::string& unsent, std::optional<modem::Probed>& end) {
  while (std::optional<modem::ProbeAction> action = machine.next_action()) {
    if (const auto* write = std::get_if<Write>(&*action)) unsent += write->bytes;
    if (std::get_if<DiscardInput>(&*action) != nullptr) static_cast<void>(line.discard_input());
    if (auto* probed = std::get_if<modem::Probed>(&*action)) end = std::move(*probed);
  }
  return end || line.write_from(unsent);
}

modem::Probed ask(ByteStream& line) {
  modem::ProbeMachine machine;
  std::string unsent;
  std::optional<modem::Probed> end;
  const TimePoint latest = steady_now() + kLongestWait;
  machine.start(steady_now());
  while (!end) {
    const TimePoint now = steady_now();
    if (!carry_out(machine, line, unsent, end)) machine.on_closed(now);
    if (end) break;
    const TimePoint until = std::min(machine.deadline().value_or(now), latest);
    pollfd waiting{line.read_fd(), static_cast<short>(POLLIN | (unsent.empty() ? 0 : POLLOUT)), 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>((until - now).count(), 0)));
    if (ready > 0 && (waiting.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const Result<std::string> got = line.read();
      if (!got) machine.on_closed(steady_now());
      else machine.on_bytes(*got, steady_now());
    }
    machine.on_time(steady_now());
    if (steady_now() >= latest) machine.on_closed(steady_now());
  }
  return *end;
}

}  // namespace

Result<PortProbe> probe_port(const std::string& port, const std::string& run_dir, const std::vector<int>& speeds) {
  LONGLINE_TRY(const PortLock lock, PortLock::acquire(port, run_dir));
  std::error_code failure;
  const bool has_speed = !port.starts_with("tcp:") && is_serial_port(std::filesystem::canonical(port, failure));
  PortProbe probe;
  for (const int speed : speeds) {
    SerialSettings settings;
    settings.speed = speed;
    settings.flow = SerialSettings::Flow::none;   // an unplugged cable has no CTS
    LONGLINE_TRY(const std::unique_ptr<ByteStream> line, open_port(port, settings));
    probe.modem = ask(*line);
    if (probe.modem.answers && has_speed) probe.speed = speed;
    if (probe.modem.answers || !has_speed) break;
  }
  return probe;
}

}  // namespace longline::sys
