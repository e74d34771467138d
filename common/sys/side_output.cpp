// SPDX-License-Identifier: MIT
#include "sys/side_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace longline::sys {

SideOutput::SideOutput(int fd) : fd_(fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0 || S_ISREG(file.st_mode)) return;   // a file takes everything, and opened again would begin anew
  owned_ = UniqueFd(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  may_wait_ = !owned_;
}

std::size_t SideOutput::write(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    std::size_t n = bytes.size() - taken;
    if (may_wait_) {
      pollfd room{fd_, POLLOUT, 0};
      if (::poll(&room, 1, 0) != 1) return taken;
      n = std::min<std::size_t>(n, PIPE_BUF);
    }
    const ssize_t put = ::write(fd(), bytes.data() + taken, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return taken;
    if (put <= 0) return bytes.size();
    taken += static_cast<std::size_t>(put);
  }
  return taken;
}

}  // namespace longline::sys
