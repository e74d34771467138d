// SPDX-License-Identifier: MIT
#include "sys/port/port_yield.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

#include "sys/port/port_holder.hpp"
#include "sys/state_paths.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr Duration kYields{3'000};
constexpr Duration kAgain{50};

void wait_for_end(const std::string& lock, TimePoint until) {
  while (::access(lock.c_str(), F_OK) == 0 && steady_now() < until) {
    const Result<std::optional<FileLock>> free = FileLock::try_acquire(lock);
    if (!free || *free) return;
    ::poll(nullptr, 0, static_cast<int>(kAgain.count()));
  }
}

}  // namespace

std::string port_yield_lock(const std::string& port, const std::string& run_dir) { return port_file(port, run_dir, ".yields"); }

std::string port_waiter_lock(const std::string& port, const std::string& run_dir) { return port_file(port, run_dir, ".answers"); }

Result<PortLock> acquire_port(const std::string& port, const std::string& run_dir) {
  const TimePoint until = steady_now() + kYields;
  while (true) {
    Result<PortLock> lock = PortLock::acquire(port, run_dir);
    const std::string yields = port_yield_lock(port, run_dir);
    if (lock && port.starts_with("tcp:")) wait_for_end(yields, until);
    if (lock || lock.error().code != Errc::port_in_use || steady_now() >= until) return lock;
    if (::access(yields.c_str(), F_OK) != 0) return lock;
    const Result<std::optional<FileLock>> holder = FileLock::try_acquire(yields);
    // Nobody holds it: either he has just let go of both, or the port is held by somebody who does not yield.
    if (!holder || *holder) return PortLock::acquire(port, run_dir);
    ::poll(nullptr, 0, static_cast<int>(kAgain.count()));
  }
}

Result<PortOpenings> PortOpenings::watch(const std::string& port, const std::string& run_dir) {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd) return system_error(errno, "inotify", Errc::os).in_stage(Stage::port);
  std::string file = port;
  if (port.starts_with("tcp:")) {
    LONGLINE_CHECK(ensure_folder(run_dir));
    file = network_port_lock(port, run_dir);
    const UniqueFd made(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }
  if (::inotify_add_watch(fd.get(), file.c_str(), IN_OPEN) < 0) {
    Error error = system_error(errno, port, Errc::no_device).in_stage(Stage::port);
    if (error.code == Errc::not_found) error.code = Errc::no_device;
    return error;
  }
  return PortOpenings(std::move(fd));
}

void PortOpenings::clear() {
  char events[4096];
  while (::read(fd_.get(), events, sizeof events) > 0) {
  }
}

}  // namespace longline::sys
