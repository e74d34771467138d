// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// Tells when a file of a folder is given its name (written anew, renamed) or removed: inotify(7). Changes inside a file are
/// not told.
class FolderWatch {
 public:
  /// The folder must be there. Errc::not_found, os.
  static Result<FolderWatch> open(const std::string& folder);
  int fd() const { return fd_.get(); }   ///< readable when something has changed
  void clear();                          ///< forgets what has changed until now

 private:
  explicit FolderWatch(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace longline::sys
