// SPDX-License-Identifier: MIT
#include "sys/event_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>

#include "sys/state_paths.hpp"
#include "sys/system_clock.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

void EventLog::emit(const Event& event) {
  constexpr off_t kMost = 4 * 1024 * 1024;
  if (!ensure_folder(std::filesystem::path(path_).parent_path().string())) return;
  struct stat file{};
  if (::stat(path_.c_str(), &file) == 0 && file.st_size > kMost) {
    static_cast<void>(std::rename(path_.c_str(), (path_ + ".1").c_str()));
  }
  const UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) return;
  const std::string line = to_json(event, wall_now()).dump() + "\n";
  static_cast<void>(!::write(fd.get(), line.data(), line.size()));
}

}  // namespace longline::sys
