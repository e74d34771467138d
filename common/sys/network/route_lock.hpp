// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// One process at a time changes routes: an exclusive flock(2) on a file of its own, which is made if need be (and its
/// folder). Dies with its holder, however that ends.
class RouteLock {
 public:
  /// Waits until the deadline. Errc::busy: who holds it, by pid and name; stage lock.
  static Result<RouteLock> acquire(const std::string& path, TimePoint deadline);

 private:
  explicit RouteLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace longline::sys
