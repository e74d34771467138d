// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"

namespace longline::sys {

/// The name of a process's program, from /proc; "" when it is gone.
std::string process_name(int pid);
/// A process that runs: one that has ended and that nobody has reaped yet (a zombie) holds nothing any more.
bool process_is_alive(int pid);
/// When a process started; with its number it names it for good. nullopt when it is gone.
std::optional<WallTime> process_started(int pid);
/// Start time in clock ticks since boot, as the kernel counts it; the exact identity. nullopt when it is gone.
std::optional<long long> process_start_ticks(int pid);
/// This boot's identity, /proc/sys/kernel/random/boot_id.
std::string boot_id();
/// This host's name, fully qualified if the system knows it; "localhost" if there is none.
std::string host_name();

}  // namespace longline::sys
