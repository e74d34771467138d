// SPDX-License-Identifier: MIT
#include "sys/process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

#include "base/text.hpp"

namespace longline::sys {
namespace {

std::string first_line_of_file(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// /proc/PID/stat from its third field on, the state; "" when there is none. The second field, in brackets, may hold
/// anything.
std::string stat_fields(int pid) {
  const std::string stat = first_line_of_file(fmt::format("/proc/{}/stat", pid));
  const std::size_t end = stat.rfind(')');
  return end == std::string::npos ? "" : std::string(trim(std::string_view(stat).substr(end + 1)));
}

}  // namespace

std::string process_name(int pid) { return pid <= 0 ? "" : first_line_of_file(fmt::format("/proc/{}/comm", pid)); }

bool process_is_alive(int pid) {
  if (pid <= 0 || (::kill(pid, 0) != 0 && errno == ESRCH)) return false;
  const std::string fields = stat_fields(pid);
  // Where /proc hides other users' processes, what kill(2) said has to do.
  return fields.empty() || (fields[0] != 'Z' && fields[0] != 'X');
}

std::optional<long long> process_start_ticks(int pid) {
  const std::string fields = stat_fields(pid);
  if (fields.empty()) return std::nullopt;
  std::istringstream rest(fields);
  std::string field;
  constexpr int kStartTime = 20;  // field 22 of the line
  for (int i = 0; i < kStartTime && rest >> field; ++i) {
  }
  return parse_integer(field);
}

std::optional<WallTime> process_started(int pid) {
  const std::optional<long long> ticks = process_start_ticks(pid);
  if (!ticks) return std::nullopt;
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    if (!line.starts_with("btime ")) continue;
    const std::optional<std::int64_t> boot = parse_integer(trim(std::string_view(line).substr(6)));
    if (!boot) return std::nullopt;
    const long long per_second = ::sysconf(_SC_CLK_TCK);
    return WallTime(std::chrono::seconds(*boot)) + Duration(*ticks * 1000 / per_second);
  }
  return std::nullopt;
}

std::string boot_id() { return first_line_of_file("/proc/sys/kernel/random/boot_id"); }

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  std::string out(name);
  if (out.find('.') != std::string::npos) return out;
  // Only /etc/hosts is asked: a name server that does not answer must not hold up a tool.
  std::ifstream hosts("/etc/hosts");
  for (std::string line; std::getline(hosts, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word, qualified;
    bool ours = false;
    words >> word;
    while (words >> word) {
      if (word == out) ours = true;
      if (qualified.empty() && word.starts_with(out + ".")) qualified = word;
    }
    if (ours && !qualified.empty()) return qualified;
  }
  return out;
}

}  // namespace longline::sys
