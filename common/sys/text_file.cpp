// SPDX-License-Identifier: MIT
#include "sys/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "sys/state_paths.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error(errno, path);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace

Result<void> rewrite_text_file(const std::string& path, std::string_view text, bool durable) {
  std::error_code failure;
  std::string target = path;
  if (std::filesystem::is_symlink(path, failure)) target = std::filesystem::weakly_canonical(path, failure).string();
  if (target.empty()) target = path;
  LONGLINE_CHECK(ensure_folder(parent_folder(target)));
  struct stat before {};
  const bool existed = ::stat(target.c_str(), &before) == 0;
  const mode_t mode = existed ? before.st_mode & 07777 : 0644;
  std::string temporary = target + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return system_error(errno, temporary, Errc::cannot_create);
  Result<void> done = write_all(fd.get(), text, temporary);
  // Only root can give a file away; anybody else could not have edited another's file in place either.
  if (done && existed && ::fchown(fd.get(), before.st_uid, before.st_gid) != 0 && errno != EPERM) done = system_error(errno, temporary);
  if (done && (::fchmod(fd.get(), mode) != 0 || (durable && ::fsync(fd.get()) != 0))) done = system_error(errno, temporary);
  if (done && ::rename(temporary.c_str(), target.c_str()) != 0) done = system_error(errno, target, Errc::cannot_create);
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  if (!durable) return {};
  const UniqueFd folder(::open(parent_folder(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
  return {};
}

}  // namespace longline::sys
