// SPDX-License-Identifier: MIT
// The command at the far end of a call, with the line as its stdin and stdout: two pipes, or a pty that is its controlling
// terminal. When the carrier is lost its input ends (its terminal hangs up); if it does not go, SIGHUP, SIGTERM and SIGKILL
// follow, one `grace` after the other, to its whole process group. The destructor kills and reaps what is left.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "instant.hpp"
#include "scenario.hpp"
#include "unique_fd.hpp"

namespace modemsim {

class FarEnd {
 public:
  struct Caller {
    int call;
    std::string number;
    std::string user;
  };

  // Null, with errno set, if it cannot be started. A command that cannot be executed ends with status 127.
  static std::unique_ptr<FarEnd> start(const FarEndScenario& scenario, const Caller& caller);
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;
  ~FarEnd();

  pid_t pid() const { return pid_; }

  // How many of the bytes it took; all of them, once it does not read any more.
  std::size_t write(std::string_view bytes);
  // What it said, at most `most` bytes; empty when there is nothing now.
  std::string read(std::size_t most);
  // It is gone, and all that it said has been read.
  bool finished() const { return exited_ && output_ended_; }
  // Its exit status, 128 + N when killed by signal N; meaningful when it has exited.
  int status() const { return status_; }

  // Its end of the line is dead from now on.
  void hang_up(Instant now);
  bool exited() const { return exited_; }

  // To be called after every wake-up: reaps it, and sends the signal that is due.
  void on_time(Instant now);
  Instant deadline() const { return exited_ ? never : next_signal_at_; }

  void add_polls(std::vector<pollfd>& polls, bool wants_to_read, bool wants_to_write) const;

 private:
  FarEnd(pid_t pid, UniqueFd input, UniqueFd output, Duration grace);

  void reap();
  void signal_group(int number) const;

  pid_t pid_;
  UniqueFd input_;   // its stdin; for a pty unset
  UniqueFd output_;  // its stdout, or the pty's master
  bool pty_;
  Duration grace_;
  bool exited_ = false;
  bool output_ended_ = false;
  bool input_broken_ = false;
  int status_ = 0;
  int signals_sent_ = 0;
  Instant next_signal_at_ = never;
};

}  // namespace modemsim
