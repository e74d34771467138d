// SPDX-License-Identifier: MIT
#include "sys/spool/disk_reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/unique_fd.hpp"

namespace longline::sys {

void DiskReserve::keep() const {
  constexpr off_t kSize = 256 * 1024;
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0) return;
  const UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd && ::posix_fallocate(fd.get(), 0, kSize) != 0) ::unlink(path_.c_str());
}

bool DiskReserve::spend() const { return ::unlink(path_.c_str()) == 0; }

}  // namespace longline::sys
