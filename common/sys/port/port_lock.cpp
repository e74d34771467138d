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
#include "sys/port/port.hpp"
#include "sys/process.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {
namespace {

namespace fs = std::filesystem;

Error held_error(const std::string& port, const PortHolder& holder) {
  std::string who = "another process";
  if (holder.pid != 0) {
    who = holder.name.empty() ? fmt::format("process {}", holder.pid)
                              : fmt::format("process {} ({})", holder.pid, escape_at_most(holder.name, 64));
  }
  return Error(Errc::port_in_use, fmt::format("{}: the port is in use by {}, by {}", port, who, holder.method), Stage::lock)
      .with_hint("wait until it ends, or end it; a lock whose holder is dead is taken over without help");
}

/// Creates the lock file by link(2), so that it never exists without its content. "" when the folder does not let us:
/// flock is what counts among our own.
Result<std::string> create_lock_file(const std::string& port, const std::string& device) {
  const std::string path = lock_file_of(device);
  const std::size_t folder = path.rfind('/');
  const std::string temporary = fmt::format("{}/LTMP.{}.{}", path.substr(0, folder), ::getpid(), path.substr(folder + 6));
  for (int tries = 0; tries < 3; ++tries) {
    if (const std::optional<int> owner = lock_file_owner(path); owner && *owner != ::getpid()) {
      return held_error(port, named_holder(*owner, "lock file " + path));
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
    path = network_port_lock(port, run_dir);
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
    if (failure == EBUSY) return held_error(port, named_holder(opener(path), "TIOCEXCL"));
    return system_error(failure, port, Errc::no_device).in_stage(Stage::port);
  }
  struct stat device{};
  if (::fstat(lock.fd_.get(), &device) != 0) return system_error(errno, port, Errc::io).in_stage(Stage::port);
  if (::flock(lock.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    int pid = flock_holder(device);
    if (pid == 0) pid = opener(path);
    return held_error(port, named_holder(pid, "flock"));
  }
  if (port.starts_with("tcp:")) return lock;
  if (::isatty(lock.fd_.get()) == 0) {
    if (errno == EIO) return Error(Errc::no_device, port + ": there is no UART behind this port", Stage::port);
    return Error(Errc::not_a_tty, fmt::format("{} is not a terminal device", port), Stage::port);
  }
  int exclusive = 0;
  if (::ioctl(lock.fd_.get(), TIOCGEXCL, &exclusive) == 0 && exclusive != 0) {
    return held_error(port, named_holder(opener(path), "TIOCEXCL"));
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
