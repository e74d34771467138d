// SPDX-License-Identifier: MIT
#include "sys/log_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "sys/unique_fd.hpp"

namespace longline::sys {

LogTail::LogTail(std::string path) : path_(std::move(path)) {
  const UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return;
  readable_ = true;
  inode_ = info.st_ino;
  offset_ = info.st_size;
}

Result<void> LogTail::read_new(const std::function<void(std::string_view)>& on_line) {
  constexpr std::size_t kLongestLine = 64 * 1024;
  const UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  if (info.st_ino != inode_ || info.st_size < offset_) {
    inode_ = info.st_ino;
    offset_ = 0;
    partial_.clear();
  }
  std::string buffer(64 * 1024, '\0');
  while (true) {
    const ssize_t n = ::pread(fd.get(), buffer.data(), buffer.size(), offset_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, path_);
    if (n == 0) return {};
    offset_ += n;
    std::string_view bytes = std::string_view(buffer).substr(0, static_cast<std::size_t>(n));
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      if (partial_.size() < kLongestLine) partial_ += piece.substr(0, kLongestLine - partial_.size());
      if (end == std::string_view::npos) break;
      on_line(partial_);
      partial_.clear();
      bytes.remove_prefix(end + 1);
    }
  }
}

}  // namespace longline::sys
