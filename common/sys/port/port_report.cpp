// SPDX-License-Identifier: MIT
#include "sys/port/port_report.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/text.hpp"
#include "sys/config_file.hpp"
#include "sys/port/port_holder.hpp"
#include "sys/process.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostUsers = 16;
constexpr std::size_t kLargestPortRecord = 65536;

/// The link whose supervisor a process is, by its command line; "" for others.
std::string supervised_link(int pid) {
  const std::string line = read_file(fmt::format("/proc/{}/cmdline", pid), kLargestPortRecord).value_or("");
  const std::vector<std::string_view> words = split(line, '\0');
  const auto verb = std::find(words.begin(), words.end(), "supervise");
  const bool ours = !words.empty() && fs::path(words.front()).filename() == "dialctl";
  return ours && verb != words.end() && verb + 1 != words.end() ? std::string(verb[1]) : "";
}

PortUser& user(std::vector<PortUser>& users, int pid) {
  for (PortUser& known : users) {
    if (known.pid == pid) return known;
  }
  users.push_back({pid, process_name(pid), {}, process_started(pid), supervised_link(pid)});
  return users.back();
}

std::optional<WallTime> written(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  return WallTime(std::chrono::seconds(file.st_mtime));
}

void look_at_lock_file(const std::string& path, PortReport& report) {
  const std::optional<WallTime> age = written(path);
  if (!age) return;
  if (const std::optional<int> pid = lock_file_owner(path)) {
    PortUser& holder = user(report.users, *pid);
    holder.methods.push_back("lock file " + path);
    holder.since = age;
    return;
  }
  report.dead_lock = path;
  std::error_code gone;
  if (!fs::is_regular_file(path, gone)) return;
  const std::string content = read_file(path, kLargestPortRecord).value_or("");
  const std::optional<std::int64_t> named = parse_integer(trim(content).substr(0, trim(content).find_first_of(" \n")));
  if (named && *named > 0 && *named < 0x7FFFFFFF) report.dead_pid = static_cast<int>(*named);
}

/// Only of a device that somebody has open: opening it a second time changes nothing on its lines.
bool is_exclusive(const std::string& device) {
  const UniqueFd fd(::open(device.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return errno == EBUSY;
  int exclusive = 0;
  return ::ioctl(fd.get(), TIOCGEXCL, &exclusive) == 0 && exclusive != 0;
}

/// udev's database of a device, by the folder of the device in /sys: a property that tells ModemManager to stay away.
bool is_ignored(const fs::path& device) {
  std::error_code failure;
  const std::string subsystem = fs::read_symlink(device / "subsystem", failure).filename().string();
  std::vector<std::string> records = {"+" + subsystem + ":" + device.filename().string()};
  if (const Result<std::string> number = read_file((device / "dev").string(), 64)) {
    records.push_back((subsystem == "block" ? "b" : "c") + std::string(trim(*number)));
  }
  for (const std::string& record : records) {
    const std::string text = read_file("/run/udev/data/" + record, kLargestPortRecord).value_or("");
    for (const std::string_view line : split(text, '\n')) {
      if (line == "E:ID_MM_DEVICE_IGNORE=1" || line == "E:ID_MM_PORT_IGNORE=1") return true;
    }
  }
  return false;
}

bool manages(const std::string& device) {
  std::error_code failure;
  fs::path at = fs::canonical("/sys/class/tty/" + fs::path(device).filename().string(), failure);
  // A tty without hardware behind it, a pty say, is none of its business.
  if (failure || !fs::exists(at / "device", failure)) return false;
  for (; at.has_relative_path() && at != "/sys/devices"; at = at.parent_path()) {
    if (is_ignored(at)) return false;
  }
  return true;
}

bool runs_modem_manager() {
  std::error_code failure;
  for (fs::directory_iterator process("/proc", failure), end; !failure && process != end; process.increment(failure)) {
    const std::optional<std::int64_t> pid = parse_integer(process->path().filename().string());
    if (pid && process_name(static_cast<int>(*pid)) == "ModemManager") return true;
  }
  return false;
}

}  // namespace

PortReport inspect_port(const std::string& port, const std::string& run_dir) {
  const bool is_network = port.starts_with("tcp:");
  PortReport report;
  std::error_code failure;
  report.device = is_network ? network_port_lock(port, run_dir) : fs::canonical(port, failure).string();
  if (failure) report.device = port;
  struct stat file{};
  report.exists = !failure && ::stat(report.device.c_str(), &file) == 0;
  if (report.exists) {
    if (const int pid = flock_holder(file); pid != 0) user(report.users, pid).methods.emplace_back("flock");
  }
  if (is_network) {
    report.exists = true;   // whether the other end is there only a connection would tell
    report.device = port;
    return report;
  }
  look_at_lock_file(lock_file_of(report.device), report);
  const std::vector<int> open = report.exists ? openers(report.device, kMostUsers) : std::vector<int>();
  const bool exclusive = !open.empty() && is_exclusive(report.device);
  for (const int pid : open) {
    PortUser& holder = user(report.users, pid);
    if (exclusive && open.size() == 1) holder.methods.emplace_back("TIOCEXCL");
    if (holder.methods.empty()) holder.methods.emplace_back("open");
  }
  report.modem_manager = report.exists && manages(report.device) && runs_modem_manager();
  return report;
}

Result<void> remove_dead_lock(const std::string& lock_file) {
  if (const std::optional<int> pid = lock_file_owner(lock_file)) {
    return Error(Errc::port_in_use, fmt::format("{} has just been taken by process {}", lock_file, *pid), Stage::lock);
  }
  if (::unlink(lock_file.c_str()) != 0 && errno != ENOENT) return system_error(errno, lock_file).in_stage(Stage::lock);
  return {};
}

}  // namespace longline::sys
