// SPDX-License-Identifier: MIT
#include "sys/port/port_holder.hpp"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/text.hpp"
#include "base/time.hpp"
#include "sys/process.hpp"

namespace longline::sys {
namespace {

namespace fs = std::filesystem;

std::string read_start(const std::string& path, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::string out(most, '\0');
  file.read(out.data(), static_cast<std::streamsize>(most));
  out.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return out;
}

}  // namespace

/// A line of /proc/locks: "N: FLOCK ADVISORY WRITE PID MAJ:MIN:INODE START END".
int flock_holder(const struct stat& file) {
  std::ifstream locks("/proc/locks");
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(file.st_dev), minor(file.st_dev), file.st_ino);
  for (std::string line; std::getline(locks, line);) {
    std::vector<std::string_view> words;
    for (const std::string_view word : split(line, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (words.size() >= 6 && words[1] == "FLOCK" && words[5] == wanted) {
      return static_cast<int>(parse_integer(words[4]).value_or(0));
    }
  }
  return 0;
}

std::vector<int> openers(const std::string& device, std::size_t most) {
  std::vector<int> out;
  std::error_code failure;
  // increment() by hand: processes end while we look, and the other form throws then.
  for (fs::directory_iterator process("/proc", failure), end; !failure && process != end && out.size() < most; process.increment(failure)) {
    const std::optional<std::int64_t> pid = parse_integer(process->path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    std::error_code gone;
    for (fs::directory_iterator fd(process->path() / "fd", gone); !gone && fd != end; fd.increment(gone)) {
      std::error_code ignored;
      if (fs::read_symlink(fd->path(), ignored) != device) continue;
      out.push_back(static_cast<int>(*pid));
      break;
    }
  }
  return out;
}

int opener(const std::string& device) {
  const std::vector<int> first = openers(device, 1);
  return first.empty() ? 0 : first.front();
}

std::optional<int> lock_file_owner(const std::string& path) {
  struct stat file{};
  // Anybody may put a file into that folder, and a FIFO would hold us.
  if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  const std::string content = read_start(path, 64);
  std::optional<std::int64_t> pid = parse_integer(trim(content).substr(0, trim(content).find_first_of(" \n")));
  if (!pid && content.size() == sizeof(int)) {
    // The old binary form.
    int binary = 0;
    std::copy(content.begin(), content.end(), reinterpret_cast<char*>(&binary));
    pid = binary;
  }
  if (!pid || *pid <= 0 || *pid > 0x7FFFFFFF) return std::nullopt;
  if (!process_is_alive(static_cast<int>(*pid))) return std::nullopt;
  const std::optional<WallTime> started = process_started(static_cast<int>(*pid));
  const WallTime written{std::chrono::seconds(file.st_mtime)};
  constexpr Duration kClockSlack{5'000};
  if (started && *started > written + kClockSlack) return std::nullopt;
  return static_cast<int>(*pid);
}

std::string lock_file_of(const std::string& device) {
  std::string name = device.starts_with("/dev/") ? device.substr(5) : device.substr(1);
  std::replace(name.begin(), name.end(), '/', '_');
  return (fs::exists("/var/lock") ? "/var/lock" : "/run/lock") + ("/LCK.." + name);
}

std::string port_file(const std::string& port, const std::string& run_dir, const char* suffix) {
  std::error_code failure;
  std::string name = port.starts_with("tcp:") ? port : fs::canonical(port, failure).string();
  if (failure) name = port;
  std::replace(name.begin(), name.end(), '/', '_');
  return run_dir + "/" + name + suffix;
}

std::string network_port_lock(const std::string& port, const std::string& run_dir) { return port_file(port, run_dir, ".lock"); }

PortHolder named_holder(int pid, std::string method) { return {pid, process_name(pid), std::move(method)}; }

std::optional<PortHolder> lock_holder(const std::string& port, const std::string& run_dir) {
  const bool is_network = port.starts_with("tcp:");
  std::error_code failure;
  const std::string path = is_network ? network_port_lock(port, run_dir) : fs::canonical(port, failure).string();
  struct stat file{};
  if (failure || ::stat(path.c_str(), &file) != 0) return std::nullopt;
  if (const int pid = flock_holder(file); pid != 0 && pid != ::getpid()) return named_holder(pid, "flock");
  if (is_network) return std::nullopt;
  const std::string lock_file = lock_file_of(path);
  if (const std::optional<int> pid = lock_file_owner(lock_file); pid && *pid != ::getpid()) {
    return named_holder(*pid, "lock file " + lock_file);
  }
  return std::nullopt;
}

std::optional<PortHolder> port_holder(const std::string& port, const std::string& run_dir) {
  if (std::optional<PortHolder> holder = lock_holder(port, run_dir)) return holder;
  std::error_code failure;
  const fs::path device = fs::canonical(port, failure);
  const int pid = failure || port.starts_with("tcp:") ? 0 : opener(device);
  return pid == 0 ? std::nullopt : std::optional(named_holder(pid, "open"));
}

}  // namespace longline::sys
