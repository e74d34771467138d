// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

struct SpawnOptions {
  std::vector<std::string> argv;                       ///< argv[0] is looked up in PATH
  std::vector<std::string> extra_environment{};        ///< "NAME=value", replacing what we have
  int stdin_fd = -1;                                   ///< -1: ours
  int stdout_fd = -1;
  int stderr_fd = -1;
  std::vector<int> inherited{};                        ///< further descriptors that the child keeps, at 3, 4, …
  bool null_stdio = false;                             ///< /dev/null for all three
  bool new_session = false;
  bool new_process_group = false;
};

/// A program that we started. Its end arrives on a pidfd; the destructor terminates and reaps it unless detach() was
/// called. Only spawn then exec, never fork alone.
class ChildProcess {
 public:
  static Result<ChildProcess> spawn(const SpawnOptions& options);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }           ///< readable when it has ended
  /// A shell's status: its exit status, or 128 + the signal. nullopt while it runs.
  std::optional<int> try_wait();
  int wait();
  void signal(int number);                             ///< to its group if it has one of its own
  void detach();

 private:
  ChildProcess(pid_t pid, UniqueFd pidfd, bool group) : pid_(pid), pidfd_(std::move(pidfd)), group_(group) {}
  void end();
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  bool group_ = false;
  std::optional<int> status_;
};

/// Runs a program with /dev/null as stdin to its end, at most for `limit`, and returns what it wrote to stdout, at
/// most `most` bytes. Errc::deadline, or Errc::io when it failed.
Result<std::string> run_and_read(const std::vector<std::string>& argv, Duration limit, std::size_t most);

}  // namespace longline::sys
