// SPDX-License-Identifier: MIT
#include "sys/secret_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "sys/child_process.hpp"
#include "sys/system_clock.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostSecret = 4096;

Result<Secret> first_line_of_secret(std::string content) {
  if (content.size() > kMostSecret) return Error(Errc::config, "is larger than 4 KiB");
  content.resize(std::min(content.size(), content.find('\n')));
  if (!content.empty() && content.back() == '\r') content.pop_back();
  return Secret(std::move(content));
}

Result<UniqueFd> open_secret(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) {
    Error error(Errc::config, fmt::format("secret file {} cannot be read", path));
    error.sys_errno = errno;
    return error;
  }
  struct stat file{};
  if (::fstat(fd.get(), &file) != 0 || !S_ISREG(file.st_mode)) {
    return Error(Errc::config, fmt::format("secret file {} is not a regular file", path));
  }
  if ((file.st_mode & 077) != 0) {
    return Error(Errc::config, fmt::format("secret file {} can be read by others (mode {:04o})", path, file.st_mode & 07777))
        .with_hint(fmt::format("chmod 600 {}", path));
  }
  return fd;
}

}  // namespace

Result<Secret> read_secret_fd(int fd, Duration limit) {
  std::string content;
  char buffer[512];
  const TimePoint ends = steady_now() + limit;
  while (content.size() <= kMostSecret) {
    pollfd readable{fd, POLLIN, 0};
    const Duration left = std::max(ends - steady_now(), Duration(0));
    const int ready = ::poll(&readable, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return Error(Errc::deadline, fmt::format("the password did not come within {}", format_duration(limit)));
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "reading the password", Errc::io);
    if (got == 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.find('\n') != std::string::npos) break;
  }
  return first_line_of_secret(std::move(content));
}

Result<void> check_secret_file(const std::string& path) {
  LONGLINE_TRY(const UniqueFd fd, open_secret(path));
  return {};
}

Result<Secret> read_secret_file(const std::string& path) {
  LONGLINE_TRY(const UniqueFd fd, open_secret(path));
  Result<Secret> secret = read_secret_fd(fd.get());
  if (!secret) return std::move(secret).error().context("secret file " + path);
  return secret;
}

Result<Secret> read_secret(const config::SecretSource& source) {
  if (source.empty()) return Secret();
  Result<Secret> secret = [&]() -> Result<Secret> {
    if (!source.file.empty()) return read_secret_file(source.file);
    Result<std::string> output = run_and_read(source.command, Duration(30'000), kMostSecret);
    if (!output) return std::move(output).error().context("password-command");
    return first_line_of_secret(std::move(*output));
  }();
  if (!secret) {
    Error error = std::move(secret).error();
    error.code = Errc::config;
    error.where = source.where;
    return error;
  }
  return secret;
}

}  // namespace longline::sys
