// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace longline::sys {

/// A process, so that another process can ask later whether that very one still runs: pids are used again, so the
/// start time counts too, and both mean nothing after a reboot.
struct ProcessIdentity {
  std::int64_t pid = 0;
  std::int64_t start = 0;     ///< clock ticks after boot
  std::string boot_id;
  bool operator==(const ProcessIdentity&) const = default;
};

ProcessIdentity this_process();
/// Zombies do not run.
bool is_running(const ProcessIdentity& process);
/// The command's name for messages, "" when it cannot be told; raw, at most 15 bytes.
std::string command_name(const ProcessIdentity& process);

}  // namespace longline::sys
