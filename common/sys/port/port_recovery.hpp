// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "modem/wake_machine.hpp"
#include "sys/child_process.hpp"
#include "sys/loop.hpp"
#include "sys/port/port.hpp"

namespace longline::sys {

/// A port that is locked and open.
struct OpenPort {
  PortLock lock;
  std::unique_ptr<ByteStream> line;
};

/// Runs a link's reset-command, if it is to, and opens its port again: what modem::ReopenPort asks for. The port must be closed and its
/// lock given up before: an adapter that comes back under an open descriptor gets another name. The command has 60 s, then it is
/// killed; the port, which a USB modem takes 5 to 30 s to bring back, 30 s.
class PortRecovery {
 public:
  struct Options {
    std::string link;                     ///< LONGLINE_LINK of the command
    std::string port;                     ///< LONGLINE_PORT
    SerialSettings settings;
    std::string run_dir;
    std::vector<std::string> command;     ///< empty: only wait for the port
  };
  /// Called once. `port` is empty when `outcome` has an error. The PortRecovery may be destroyed in it.
  using Done = std::function<void(std::optional<OpenPort> port, modem::Reopened outcome)>;

  PortRecovery(Loop& loop, Options options, Done done);

 private:
  void on_command_end();
  void wait_for_port();
  void try_port();
  void finish(std::optional<OpenPort> port, std::optional<Error> error);

  Loop& loop_;
  Options options_;
  Done done_;
  std::optional<ChildProcess> child_;
  std::string note_;
  TimePoint give_up_at_{};
  Loop::Registration child_watch_, timer_;
};

}  // namespace longline::sys
