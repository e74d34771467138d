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
  static Result<Signals> open(std::initializer_list<int> numbers);
  int fd() const { return fd_.get(); }
  /// The next signal that has arrived.
  std::optional<int> take();

 private:
  explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace longline::sys
