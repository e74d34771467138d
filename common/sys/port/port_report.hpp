// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::sys {

/// A process that uses a port, in all the ways that can be seen.
struct PortUser {
  int pid = 0;                        ///< 0: not known
  std::string name;                   ///< of its program, raw; "" when not known
  std::vector<std::string> methods;   ///< "flock", "lock file PATH", "TIOCEXCL", "open"
  std::optional<WallTime> since;      ///< the lock file's age; without one, that of the process
  std::string link;                   ///< set: it is the supervisor of this link
};

/// Everything about who holds a port, found without opening one that nobody holds: opening raises DTR.
struct PortReport {
  std::string device;                 ///< the real path; the port itself where there is none
  bool exists = false;
  std::vector<PortUser> users;        ///< that live
  std::string dead_lock;              ///< a lock file whose process is gone, or is younger than the file; "" for none
  int dead_pid = 0;                   ///< the process that it names; 0: none that makes sense
  bool modem_manager = false;         ///< it runs, and nothing tells it to leave this device alone
};

/// `port` as in the configuration; `run_dir` holds the locks of tcp: ports.
PortReport inspect_port(const std::string& port, const std::string& run_dir);

/// Takes a dead lock file away, unless it has become a living process's meanwhile. Errc::port_in_use then; permission, io.
Result<void> remove_dead_lock(const std::string& lock_file);

}  // namespace longline::sys
