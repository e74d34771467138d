// SPDX-License-Identifier: MIT
#include "sys/durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "sys/unique_fd.hpp"

namespace longline::sys {

Result<void> write_and_sync(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return system_error(errno, path);
  return {};
}

Result<void> write_new_file(const std::string& path, std::string_view bytes) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return system_error(errno, path, Errc::cannot_create);
  Result<void> written = write_and_sync(fd.get(), bytes, path);
  // close() reports what a network file system could not write.
  if (::close(fd.release()) != 0 && written) written = system_error(errno, path);
  if (!written) ::unlink(path.c_str());
  return written;
}

Result<void> sync_folder(const std::string& path) {
  const UniqueFd fd(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_error(errno, path);
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return system_error(errno, path);
  return {};
}

Result<void> publish_file(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) {
    // File systems without hard links (FAT on a stick): the kernel's rename that does not replace does as well.
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return system_error(errno, to, Errc::cannot_create);
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
      return system_error(errno, to, Errc::cannot_create);
    }
  } else {
    ::unlink(from.c_str());
  }
  return sync_folder(std::filesystem::path(to).parent_path().string());
}

Result<void> replace_file(const std::string& path, std::string_view bytes) {
  std::error_code failure;
  std::filesystem::path target = std::filesystem::canonical(path, failure);
  struct stat old{};
  if (failure == std::errc::no_such_file_or_directory) {
    target = path;
    old.st_mode = 0600;
  } else if (failure || ::stat(target.c_str(), &old) != 0) {
    return system_error(failure ? failure.value() : errno, path);
  } else if (::access(target.c_str(), W_OK) != 0) {
    // Renaming would also go where writing is not allowed.
    return system_error(errno, path);
  }
  const std::string fresh = fmt::format("{}.new-{}", target.string(), ::getpid());
  if (Result<void> written = write_new_file(fresh, bytes); !written) {
    Error error = std::move(written).error();
    error.what = path;   // who named that file does not know the other
    return error;
  }
  if (::chmod(fresh.c_str(), old.st_mode & 07777) != 0 || ::rename(fresh.c_str(), target.c_str()) != 0) {
    Error error = system_error(errno, path, Errc::cannot_create);
    ::unlink(fresh.c_str());
    return error;
  }
  return sync_folder(target.parent_path().string());
}

}  // namespace longline::sys
