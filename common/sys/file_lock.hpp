// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// flock(2) on a file of its own, created when missing and left behind. Dies with its holder.
class FileLock {
 public:
  /// nullopt: somebody else holds it.
  static Result<std::optional<FileLock>> try_acquire(const std::string& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace longline::sys
