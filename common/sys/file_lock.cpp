// SPDX-License-Identifier: MIT
#include "sys/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdio>

namespace longline::sys {

Result<std::optional<FileLock>> FileLock::try_acquire(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_error(errno, path, Errc::cannot_create).in_stage(Stage::lock);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return std::optional<FileLock>(FileLock(std::move(fd)));
  if (errno == EWOULDBLOCK) return std::optional<FileLock>();
  return system_error(errno, path, Errc::os).in_stage(Stage::lock);
}

Result<void> replace_file(const std::string& path, std::string_view content) {
  const std::string temporary = fmt::format("{}.{}.new", path, ::getpid());
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_error(errno, temporary, Errc::cannot_create);
  std::string_view rest = content;
  while (!rest.empty()) {
    const ssize_t put = ::write(fd.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const int failure = errno;
      ::unlink(temporary.c_str());
      return system_error(failure, temporary);
    }
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(fd.get()) != 0 || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int failure = errno;
    ::unlink(temporary.c_str());
    return system_error(failure, path);
  }
  return {};
}

}  // namespace longline::sys
