// SPDX-License-Identifier: MIT
#include "sys/event_reader.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "sys/state_paths.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kLongestEvent = 65536;

/// An empty descriptor where there is no such file.
Result<UniqueFd> open_log_to_read(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd && errno != ENOENT) return system_error(errno, path);
  return fd;
}

bool same_file(int a, int b) {
  struct stat one{}, other{};
  return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

}  // namespace

Result<void> EventReader::read_all() {
  // The newest is opened first: what is renamed meanwhile is met a second time, and known, but never missed.
  std::vector<UniqueFd> files;
  for (const char* suffix : {"", ".1", ".2"}) {
    LONGLINE_TRY(UniqueFd fd, open_log_to_read(path_ + suffix));
    if (!fd) continue;
    bool known = false;
    for (const UniqueFd& file : files) known = known || same_file(file.get(), fd.get());
    if (known) continue;
    if (*suffix == '\0') current_ = UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    files.push_back(std::move(fd));
  }
  while (!files.empty()) {
    const UniqueFd fd = std::move(files.back());
    files.pop_back();
    const bool is_current = current_ && same_file(fd.get(), current_.get());
    LONGLINE_CHECK(read_to_end(is_current ? current_.get() : fd.get()));
    if (!is_current) end_line();
  }
  return {};
}

Result<int> EventReader::watch() {
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  LONGLINE_CHECK(ensure_folder(folder));
  watch_ = UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!watch_ || ::inotify_add_watch(watch_.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
    return system_error(errno, folder, Errc::os);
  }
  LONGLINE_CHECK(read_more());   // what came between
  return watch_.get();
}

Result<void> EventReader::read_more() {
  char forget[4096];
  while (watch_ && ::read(watch_.get(), forget, sizeof forget) > 0) {
  }
  if (current_) LONGLINE_CHECK(read_to_end(current_.get()));
  LONGLINE_TRY(UniqueFd named, open_log_to_read(path_));
  if (!named || (current_ && same_file(named.get(), current_.get()))) return {};
  if (current_) {
    LONGLINE_CHECK(read_to_end(current_.get()));   // written before it was renamed
    end_line();
    LONGLINE_TRY(const UniqueFd between, open_log_to_read(path_ + ".1"));
    if (between && !same_file(between.get(), current_.get()) && !same_file(between.get(), named.get())) {
      LONGLINE_CHECK(read_to_end(between.get()));
      end_line();
    }
  }
  current_ = std::move(named);
  return read_to_end(current_.get());
}

Result<void> EventReader::read_to_end(int fd) {
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, path_);
    if (got == 0) return {};
    take({buffer, static_cast<std::size_t>(got)});
  }
}

void EventReader::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    if (!too_long_) line_ += bytes.substr(0, newline);
    too_long_ = too_long_ || line_.size() > kLongestEvent;
    if (too_long_) line_.clear();
    if (newline == std::string_view::npos) return;
    bytes.remove_prefix(newline + 1);
    end_line();
  }
}

/// The end of a line, or of a file that nobody writes any more.
void EventReader::end_line() {
  const std::string line = std::exchange(line_, {});
  const bool too_long = std::exchange(too_long_, false);
  if (line.empty() && !too_long) return;
  const Result<JsonObject> event = too_long ? Error(Errc::malformed, "too long") : parse_json_object(line);
  if (event && event->has("event")) use_(*event);
  else ++unreadable_;
}

}  // namespace longline::sys
