// SPDX-License-Identifier: MIT
#include "sys/spool/disk_reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

// So little is left to whoever else writes on the disk.
constexpr std::int64_t kSmallest = 32 * 1024;

}  // namespace

bool DiskReserve::is_whole() const {
  struct stat info {};
  return ::stat(path_.c_str(), &info) == 0 && info.st_size >= kSize;
}

bool DiskReserve::keep() const {
  if (is_whole()) return true;
  const UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return errno != ENOSPC && errno != EDQUOT;
  for (std::int64_t size = kSize; size >= kSmallest; size /= 2) {
    const int failure = ::posix_fallocate(fd.get(), 0, size);
    if (failure == 0) return size == kSize;
    if (failure != ENOSPC && failure != EDQUOT) return true;
  }
  return false;
}

bool DiskReserve::spend() const { return ::unlink(path_.c_str()) == 0; }

}  // namespace longline::sys
