// SPDX-License-Identifier: MIT
#include "sys/process_identity.hpp"

#include <unistd.h>

#include "sys/process.hpp"

namespace longline::sys {
ProcessIdentity this_process() {
  const int pid = ::getpid();
  return {pid, process_start_ticks(pid).value_or(0), boot_id()};
}

bool is_running(const ProcessIdentity& process) {
  if (process.boot_id != boot_id()) return false;
  const int pid = static_cast<int>(process.pid);
  const auto start = process_start_ticks(pid);
  return start && *start == process.start && process_is_alive(pid);
}

std::string command_name(const ProcessIdentity& process) { return process_name(static_cast<int>(process.pid)); }

}  // namespace longline::sys
