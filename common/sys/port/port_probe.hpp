// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "modem/probe_machine.hpp"

namespace longline::sys {

struct PortProbe {
  modem::Probed modem;
  std::optional<int> speed{};    ///< at which it answered, bit/s; nullopt where a port has no speed
};

/// Locks a port as for a call, opens it and asks for a modem, at each speed in turn until one answers: at most one second a speed where
/// none does. Opening raises DTR, the end drops it. Errc::port_in_use when somebody holds it, no_device when it cannot be opened.
Result<PortProbe> probe_port(const std::string& port, const std::string& run_dir, const std::vector<int>& speeds);

}  // namespace longline::sys
