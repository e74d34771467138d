// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace longline::sys {

/// Somebody who holds a port.
struct PortHolder {
  int pid = 0;              ///< 0: not known
  std::string name;         ///< of its program; "" when not known
  std::string method;       ///< "flock", "lock file …", "TIOCEXCL", "open"
};

/// Another process that holds a port, found without opening it: opening raises DTR. By flock, by lock file, or by having it
/// open; another user's process that only has it open is seen by root alone. `port` as in the configuration, `run_dir` as for
/// PortLock::acquire().
std::optional<PortHolder> port_holder(const std::string& port, const std::string& run_dir);
/// The same, but only who holds its lock: flock, or a lock file.
std::optional<PortHolder> lock_holder(const std::string& port, const std::string& run_dir);

/// Who holds a flock on a file, by /proc/locks; 0 when nobody does.
int flock_holder(const struct stat& file);
/// Another process that has the device open; 0 when none can be seen.
int opener(const std::string& device);
/// All of them that can be seen, at most so many.
std::vector<int> openers(const std::string& device, std::size_t most);
/// The process that a lock file names, if it lives and is not younger than the file (then its number was reused).
std::optional<int> lock_file_owner(const std::string& path);
/// LCK..NAME of a device, in the folder that this system uses.
std::string lock_file_of(const std::string& device);
/// A file in the run folder that belongs to a port, by whatever name the port is called: its device stands for it.
std::string port_file(const std::string& port, const std::string& run_dir, const char* suffix);
/// The file whose flock is the lock of a tcp: port.
std::string network_port_lock(const std::string& port, const std::string& run_dir);
PortHolder named_holder(int pid, std::string method);

}  // namespace longline::sys
