// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/config.hpp"
#include "sys/byte_stream.hpp"
#include "sys/port/port_holder.hpp"
#include "sys/port/serial_port.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// The right to use a port: flock on the device first, the UUCP lock file (LCK..NAME, HDB form) as a courtesy to other
/// programs second. A lock file whose process is dead, or is younger than the file, is taken over. Released at the end, and by the
/// kernel when we are killed; a lock file that stays then names a dead process.
class PortLock {
 public:
  /// `port` as in the configuration. `run_dir` holds the lock of a tcp: port. Errc::port_in_use names the holder.
  static Result<PortLock> acquire(const std::string& port, const std::string& run_dir);
  PortLock(PortLock&& other) noexcept;
  PortLock& operator=(PortLock&&) = delete;
  ~PortLock();

 private:
  PortLock() = default;
  UniqueFd fd_;
  std::string lock_file_;
};

/// How a link's port is set.
SerialSettings serial_settings(const config::Link& link);

/// Opens a port that is locked: tcp:host:port, a serial port through libserialport, a pty through termios. The order
/// matters: lock, then open. Stage port.
Result<std::unique_ptr<ByteStream>> open_port(const std::string& port, const SerialSettings& settings);


}  // namespace longline::sys
