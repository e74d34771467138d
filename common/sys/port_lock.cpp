// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "sys/port.hpp"
#include "sys/process.hpp"
#include "sys/state_paths.hpp"

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

Error held_error(const std::string& port, const PortHolder& holder) {
  std::string who = "another process";
  if (holder.pid != 0) {
    who = holder.name.empty() ? fmt::format("process {}", holder.pid)
                              : fmt::format("process {} ({})", holder.pid, escape_at_most(holder.name, 64));
  }
  return Error(Errc::port_in_use, fmt::format("{}: the port is in use by {}, by {}", port, who, holder.method), Stage::lock)
      .with_hint("wait until it ends, or end it; a lock whose holder is dead is taken over without help");
}

/// Who holds a flock on this inode: /proc/locks has "N: FLOCK ADVISORY WRITE PID MAJ:MIN:INODE START END".
int flock_holder(const struct stat& device) {
  std::ifstream locks("/proc/locks");
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(device.st_dev), minor(device.st_dev), device.st_ino);
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

/// Another process that has the device open; 0 when none can be seen.
int opener(const std::string& device) {
  std::error_code failure;
  // increment() by hand: processes end while we look, and the other form throws then.
  for (fs::directory_iterator process("/proc", failure), end; !failure && process != end; process.increment(failure)) {
    const std::optional<std::int64_t> pid = parse_integer(process->path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    std::error_code gone;
    for (fs::directory_iterator fd(process->path() / "fd", gone); !gone && fd != end; fd.increment(gone)) {
      std::error_code ignored;
      if (fs::read_symlink(fd->path(), ignored) == device) return static_cast<int>(*pid);
    }
  }
  return 0;
}

PortHolder holder_of(int pid, std::string method) { return {pid, process_name(pid), std::move(method)}; }

/// The process that a lock file names, if it lives and is not younger than the file (then its number was reused).
std::optional<int> live_owner(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
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

/// Creates the lock file by link(2), so that it never exists without its content. "" when the folder does not let us:
/// flock is what counts among our own.
Result<std::string> create_lock_file(const std::string& port, const std::string& device) {
  std::string name = device.starts_with("/dev/") ? device.substr(5) : device.substr(1);
  std::replace(name.begin(), name.end(), '/', '_');
  const std::string folder = fs::exists("/var/lock") ? "/var/lock" : "/run/lock";
  const std::string path = folder + "/LCK.." + name;
  const std::string temporary = fmt::format("{}/LTMP.{}.{}", folder, ::getpid(), name);
  for (int tries = 0; tries < 3; ++tries) {
    if (const std::optional<int> owner = live_owner(path); owner && *owner != ::getpid()) {
      return held_error(port, holder_of(*owner, "lock file " + path));
    }
    ::unlink(path.c_str());
    UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return std::string();
    const std::string content = fmt::format("{:10}\n", ::getpid());
    const bool written = ::write(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size());
    const bool linked = written && ::link(temporary.c_str(), path.c_str()) == 0;
    ::unlink(temporary.c_str());
    if (linked) return path;
    if (!written) return std::string();
  }
  return std::string();
}

}  // namespace

Result<PortLock> PortLock::acquire(const std::string& port, const std::string& run_dir) {
  PortLock lock;
  std::string path;
  if (port.starts_with("tcp:")) {
    LONGLINE_CHECK(ensure_folder(run_dir));
    std::string name = port;
    std::replace(name.begin(), name.end(), '/', '_');
    path = run_dir + "/" + name + ".lock";
    lock.fd_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  } else {
    std::error_code failure;
    path = fs::canonical(port, failure);
    if (failure) {
      Error error = system_error(failure.value(), port, Errc::no_device).in_stage(Stage::port);
      if (error.code == Errc::not_found) error.code = Errc::no_device;
      return error;
    }
    lock.fd_ = UniqueFd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  }
  if (!lock.fd_) {
    const int failure = errno;
    if (failure == EBUSY) return held_error(port, holder_of(opener(path), "TIOCEXCL"));
    return system_error(failure, port, Errc::no_device).in_stage(Stage::port);
  }
  struct stat device{};
  if (::fstat(lock.fd_.get(), &device) != 0) return system_error(errno, port, Errc::io).in_stage(Stage::port);
  if (::flock(lock.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    int pid = flock_holder(device);
    if (pid == 0) pid = opener(path);
    return held_error(port, holder_of(pid, "flock"));
  }
  if (port.starts_with("tcp:")) return lock;
  if (::isatty(lock.fd_.get()) == 0) {
    if (errno == EIO) return Error(Errc::no_device, port + ": there is no UART behind this port", Stage::port);
    return Error(Errc::not_a_tty, fmt::format("{} is not a terminal device", port), Stage::port);
  }
  int exclusive = 0;
  if (::ioctl(lock.fd_.get(), TIOCGEXCL, &exclusive) == 0 && exclusive != 0) {
    return held_error(port, holder_of(opener(path), "TIOCEXCL"));
  }
  LONGLINE_TRY(lock.lock_file_, create_lock_file(port, path));
  return lock;
}

PortLock::PortLock(PortLock&& other) noexcept
    : fd_(std::move(other.fd_)), lock_file_(std::exchange(other.lock_file_, {})) {}

PortLock::~PortLock() {
  if (!lock_file_.empty()) ::unlink(lock_file_.c_str());
}

}  // namespace longline::sys
