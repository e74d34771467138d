// SPDX-License-Identifier: MIT
#include "sys/spool/spool_draft.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <optional>

#include "base/text.hpp"
#include "sys/process.hpp"

namespace longline::sys {
namespace {

namespace fs = std::filesystem;

constexpr Duration kClockStep{2'000};   // times of files are coarser than those of processes

bool is_same(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

bool lock(int fd, int how) {
  int rc = 0;
  while ((rc = ::flock(fd, LOCK_EX | how)) != 0 && errno == EINTR) {
  }
  return rc == 0;
}

// What a longline that locked nothing made: its process lives, and is older than the file.
bool is_of_another_that_lives(int pid, const struct stat& file) {
  if (pid == ::getpid() || !process_is_alive(pid)) return false;
  const auto started = process_started(pid);
  const WallTime written(Duration(file.st_mtim.tv_sec * std::int64_t{1000} + file.st_mtim.tv_nsec / 1'000'000));
  return !started || *started <= written + kClockStep;
}

// With the lock on the very file that has the name now; nobody can take that away or give it to another file meanwhile.
std::optional<UniqueFd> lock_abandoned(const std::string& name, int pid, int how) {
  UniqueFd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat file {}, named {};
  if (!fd || ::fstat(fd.get(), &file) != 0 || !S_ISREG(file.st_mode) || is_of_another_that_lives(pid, file) || !lock(fd.get(), how)) return std::nullopt;
  if (::lstat(name.c_str(), &named) != 0 || !is_same(file, named)) return std::nullopt;
  return fd;
}

void visit_drafts(const std::string& path, const std::function<void(const std::string& name, int pid)>& visitor) {
  std::error_code unreadable;
  const std::string start = fs::path(path).filename().string() + ".new.";
  for (fs::directory_iterator entry(fs::path(path).parent_path(), unreadable), end; !unreadable && entry != end; entry.increment(unreadable)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(start)) continue;
    const auto pid = parse_integer(std::string_view(name).substr(start.size()));
    if (pid && *pid > 0 && *pid < (1 << 30)) visitor(entry->path().string(), static_cast<int>(*pid));
  }
}

// Between the two steps of becoming the spool it has both names. It is not opened then: with the descriptor the locks would go that SQLite has on it.
bool is_the_spool(const std::string& path, const std::string& name) {
  struct stat spool {}, draft {};
  return ::stat(path.c_str(), &spool) == 0 && ::lstat(name.c_str(), &draft) == 0 && is_same(spool, draft);
}

void remove_draft(const std::string& path, const std::string& name, int pid, int how) {
  if (is_the_spool(path, name)) {
    ::unlink(name.c_str());
  } else if (const std::optional<UniqueFd> locked = lock_abandoned(name, pid, how)) {
    ::unlink(name.c_str());
  }
}

}  // namespace

Result<SpoolDraft> SpoolDraft::create(const std::string& path) {
  constexpr int kTries = 100;
  SpoolDraft draft{fmt::format("{}.new.{}", path, ::getpid()), {}};
  for (int i = 0; i < kTries; ++i) {
    draft.fd = UniqueFd(::open(draft.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!draft.fd && errno == EEXIST) {
      // Of a process that had our number.
      remove_draft(path, draft.name, ::getpid(), 0);
      continue;
    }
    if (!draft.fd) return system_error(errno, draft.name, Errc::cannot_create);
    struct stat file {};
    // Taken away before it was locked. Where there are no such locks nobody takes anything away.
    lock(draft.fd.get(), 0);
    if (::fstat(draft.fd.get(), &file) == 0 && file.st_nlink > 0) return draft;
  }
  return Error(Errc::cannot_create, draft.name + ": is in the way", Stage::queue);
}

std::vector<std::string> abandoned_drafts(const std::string& path) {
  std::vector<std::string> out;
  visit_drafts(path, [&](const std::string& name, int pid) {
    if (is_the_spool(path, name) || lock_abandoned(name, pid, LOCK_NB)) out.push_back(name);
  });
  return out;
}

void remove_abandoned_drafts(const std::string& path) {
  visit_drafts(path, [&](const std::string& name, int pid) { remove_draft(path, name, pid, LOCK_NB); });
}

}  // namespace longline::sys
