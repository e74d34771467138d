// SPDX-License-Identifier: MIT
#include "sys/event_log.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "sys/state_paths.hpp"
#include "sys/system_clock.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

constexpr off_t kMostLog = 4 * 1024 * 1024;
constexpr Duration kOldestLog{180LL * 86'400'000};
constexpr int kTriesAtLog = 3;
// For the lock. Who holds it writes a line, or was stopped while it did.
constexpr int kLockTries = 50;
constexpr auto kLockPause = std::chrono::milliseconds(1);

struct Log {
  UniqueFd fd;
  bool is_locked = false;
};

bool lock(int fd) {
  for (int i = 0; i < kLockTries; ++i) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
    std::this_thread::sleep_for(kLockPause);
  }
  return false;
}

Log open_log(const std::string& path) {
  Log log{UniqueFd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640))};
  log.is_locked = log.fd && lock(log.fd.get());
  return log;
}

/// Of the first event; every line starts with its time.
std::optional<WallTime> first_time(int fd) {
  constexpr std::string_view kBefore = "{\"time\":\"";
  std::array<char, 64> start{};
  const ssize_t got = ::pread(fd, start.data(), start.size(), 0);
  std::string_view text(start.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!text.starts_with(kBefore)) return std::nullopt;
  text.remove_prefix(kBefore.size());
  const Result<WallTime> time = parse_iso8601(text.substr(0, text.find('"')));
  return time ? std::optional(*time) : std::nullopt;
}

bool is_due(int fd, const struct stat& file, WallTime now) {
  if (file.st_size > kMostLog) return true;
  const std::optional<WallTime> first = first_time(fd);
  return first && now - *first > kOldestLog;
}

/// Of several writers that saw the full file one renames it: the one that locks it while it still has its name.
void rotate(const std::string& path, const Log& log) {
  struct stat ours{}, named{};
  if (::fstat(log.fd.get(), &ours) != 0 || ::stat(path.c_str(), &named) != 0 || ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) return;
  static_cast<void>(std::rename((path + ".1").c_str(), (path + ".2").c_str()));
  static_cast<void>(std::rename(path.c_str(), (path + ".1").c_str()));
}

bool ends_in_a_line(int fd, off_t size) {
  char last = '\n';
  return size == 0 || ::pread(fd, &last, 1, size - 1) != 1 || last == '\n';
}

}  // namespace

void EventLog::emit(const Event& event) {
  if (!ensure_folder(std::filesystem::path(path_).parent_path().string())) return;
  const WallTime now = wall_now();
  Log log = open_log(path_);
  struct stat file{};
  for (int i = 0; i < kTriesAtLog && log.is_locked && ::fstat(log.fd.get(), &file) == 0 && file.st_size > 0 && is_due(log.fd.get(), file, now); ++i) {
    rotate(path_, log);
    log = open_log(path_);
  }
  if (!log.fd) return;
  const bool is_whole = ::fstat(log.fd.get(), &file) != 0 || ends_in_a_line(log.fd.get(), file.st_size);
  const std::string line = (is_whole ? "" : "\n") + to_json(event, now).dump() + "\n";
  static_cast<void>(!::write(log.fd.get(), line.data(), line.size()));
}

}  // namespace longline::sys
