// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "sys/file_lock.hpp"
#include "sys/port/port.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// Between `dialctl answer`, which holds a port only for moments, and those who want to call out over it.

/// Held by whoever holds a port's lock, or the connection to a tcp: port, and gives it up when somebody else opens the port.
std::string port_yield_lock(const std::string& port, const std::string& run_dir);

/// Held for as long as a process waits for calls on a port: two would take the modem from each other for ever.
std::string port_waiter_lock(const std::string& port, const std::string& run_dir);

/// PortLock::acquire, and while the holder is one who yields, again, for three seconds at most; so long, too, until his connection is gone.
Result<PortLock> acquire_port(const std::string& port, const std::string& run_dir);

/// Tells when somebody opens a port, or asks for the lock of a tcp: port: inotify(7). Our own openings count too: clear() behind them.
class PortOpenings {
 public:
  PortOpenings() = default;
  /// The device, or the file that is the lock of a tcp: port, must be there. Errc::no_device.
  static Result<PortOpenings> watch(const std::string& port, const std::string& run_dir);
  int fd() const { return fd_.get(); }
  void clear();
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  explicit PortOpenings(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace longline::sys
