// SPDX-License-Identifier: MIT
#include "sys/reply_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sys/system_clock.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

Result<std::string> read_reply_file(const std::string& path, TimePoint ends, int stop) {
  constexpr std::size_t kMost = 65536;
  // A pipe without a writer opens, and can be waited for.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd) return system_error(errno, path);
  std::string content;
  char buffer[4096];
  for (;;) {
    pollfd wanted[] = {{fd.get(), POLLIN, 0}, {stop, POLLIN, 0}};
    const Duration left = std::max(ends - steady_now(), Duration(0));
    const int ready = ::poll(wanted, 2, static_cast<int>(std::min<Duration::rep>(left.count(), 3'600'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready > 0 && wanted[1].revents != 0) return Error(Errc::interrupted, path + ": the wait was interrupted");
    if (ready == 0) return Error(Errc::deadline, fmt::format("{}: nothing was written into it in time", path));
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return system_error(errno, path);
    if (got == 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > kMost) return Error(Errc::malformed, path + ": more than 64 KiB");
  }
  if (!content.empty() && content.back() == '\n') content.pop_back();
  return content;
}

}  // namespace longline::sys
