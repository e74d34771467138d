// SPDX-License-Identifier: MIT
#include "sys/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace longline::sys {

Result<std::optional<FileLock>> FileLock::try_acquire(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_error(errno, path, Errc::cannot_create).in_stage(Stage::lock);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return std::optional<FileLock>(FileLock(std::move(fd)));
  if (errno == EWOULDBLOCK) return std::optional<FileLock>();
  return system_error(errno, path, Errc::os).in_stage(Stage::lock);
}

}  // namespace longline::sys
