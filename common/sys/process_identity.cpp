// SPDX-License-Identifier: MIT
#include "sys/process_identity.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "sys/process.hpp"

namespace longline::sys {
namespace {

// proc(5): "pid (comm) state …"; the name may hold brackets.
bool is_zombie(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string stat{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t end = stat.rfind(')');
  const char state = end != std::string::npos && end + 2 < stat.size() ? stat[end + 2] : '?';
  return state == 'Z' || state == 'X';
}

}  // namespace

ProcessIdentity this_process() {
  const int pid = ::getpid();
  return {pid, process_start_ticks(pid).value_or(0), boot_id()};
}

bool is_running(const ProcessIdentity& process) {
  if (process.boot_id != boot_id()) return false;
  const int pid = static_cast<int>(process.pid);
  const auto start = process_start_ticks(pid);
  return start && *start == process.start && !is_zombie(pid);
}

std::string command_name(const ProcessIdentity& process) { return process_name(static_cast<int>(process.pid)); }

}  // namespace longline::sys
