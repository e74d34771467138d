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

/// Replaces a file in one step: written beside it, synced, renamed. Mode 0600.
Result<void> replace_file(const std::string& path, std::string_view content);

}  // namespace longline::sys
