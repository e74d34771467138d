// SPDX-License-Identifier: MIT
#include "sys/folder_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

namespace longline::sys {

Result<FolderWatch> FolderWatch::open(const std::string& folder) {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd) return system_error(errno, "inotify", Errc::os);
  if (::inotify_add_watch(fd.get(), folder.c_str(), IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) < 0) {
    return system_error(errno, folder, Errc::os);
  }
  return FolderWatch(std::move(fd));
}

void FolderWatch::clear() {
  char events[4096];
  while (::read(fd_.get(), events, sizeof events) > 0) {
  }
}

}  // namespace longline::sys
