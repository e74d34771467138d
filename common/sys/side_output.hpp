// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "sys/unique_fd.hpp"

namespace longline::sys {

/// A terminal or pipe that nobody has to read: writing to it never waits. stdout and stderr are often one open file with a shell's, so that
/// O_NONBLOCK on them would be everybody's; this opens them once more.
class SideOutput {
 public:
  /// The descriptor stays the caller's, and open.
  explicit SideOutput(int fd);
  /// How many of the bytes were taken, maybe 0. What the other end refuses for good is taken, and lost.
  std::size_t write(std::string_view bytes);
  /// To poll for POLLOUT.
  int fd() const { return owned_ ? owned_.get() : fd_; }

 private:
  int fd_;
  UniqueFd owned_;
  bool may_wait_ = false;   ///< could not be opened again: asked before each write
};

}  // namespace longline::sys
