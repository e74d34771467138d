// SPDX-License-Identifier: MIT
#include "sys/network/route_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/text.hpp"
#include "sys/process.hpp"
#include "sys/state_paths.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr int kRetry = 20;   // ms; flock(2) has no wait with a limit

Error held_by(int fd, const std::string& path) {
  char text[32] = {};
  const ssize_t got = ::pread(fd, text, sizeof text - 1, 0);
  const std::optional<std::int64_t> pid = parse_integer(trim(std::string_view(text, got > 0 ? static_cast<std::size_t>(got) : 0)));
  const std::string name = pid && *pid > 0 ? process_name(static_cast<int>(*pid)) : "";
  if (name.empty()) return Error(Errc::busy, path + " is locked by another process", Stage::lock);
  return Error(Errc::busy, fmt::format("{} is locked by {} (pid {})", path, escape(name), *pid), Stage::lock);
}

}  // namespace

Result<RouteLock> RouteLock::acquire(const std::string& path, TimePoint deadline) {
  LONGLINE_CHECK(ensure_folder(parent_folder(path)));
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_error(errno, path, Errc::cannot_create).in_stage(Stage::lock);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return system_error(errno, path).in_stage(Stage::lock);
    if (steady_now() >= deadline) return held_by(fd.get(), path);
    ::poll(nullptr, 0, kRetry);
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  // Only for the message that names the holder: a full disk must not keep the lock from being held.
  if (::ftruncate(fd.get(), 0) == 0 && ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) errno = 0;
  return RouteLock(std::move(fd));
}

}  // namespace longline::sys
