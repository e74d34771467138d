// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <optional>

#include "base/result.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// Signals as bytes on a descriptor. Blocks them for the process; a child that is spawned through ChildProcess starts
/// with none blocked. One per process.
class Signals {
 public:
  enum class Ignored {
    stay_so,   ///< what was ignored for us: nohup, background jobs of a script
    caught,    ///< as chat(8) does
  };
  static Result<Signals> open(std::initializer_list<int> numbers, Ignored ignored = Ignored::stay_so);
  int fd() const { return fd_.get(); }
  /// The next signal that has arrived.
  std::optional<int> take();

  /// For a wait outside the loop: readable while SIGTERM, SIGINT or SIGHUP waits to be taken. Not to be read. None where no Signals is open:
  /// there they end the process.
  static UniqueFd end_is_asked();

 private:
  explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace longline::sys
