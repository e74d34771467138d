// SPDX-License-Identifier: MIT
#include "sys/intake/drop_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "mail/connector_choice.hpp"
#include "mail/dropped_message.hpp"
#include "sys/config_file.hpp"
#include "sys/durable_file.hpp"
#include "sys/random_name.hpp"
#include "sys/system_clock.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

constexpr mode_t kDropMode = 01733;
constexpr mode_t kSpoolFolderMode = 0711;
// A name that starts with a dot is a file that somebody writes, or wrote when he was killed.
constexpr Duration kUnfinished{24 * 3'600'000};
// So much goes into one transaction.
constexpr std::size_t kBatchBytes = 4 << 20;
constexpr std::size_t kBatchFiles = 64;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

WallTime time_of(const timespec& t) { return WallTime(Duration(std::int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000)); }

std::string user_named(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : "";
}

Result<std::vector<std::string>> names_in(int folder, const std::string& path) {
  UniqueFd own(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return system_error(errno, path);
  const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(own.get()));
  if (!listing) return system_error(errno, path);
  static_cast<void>(own.release());
  std::vector<std::string> names;
  constexpr std::size_t kMostAtOnce = 100'000;
  while (names.size() < kMostAtOnce) {
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> read_whole(int fd, std::size_t size, const std::string& name) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::read(fd, bytes.data() + have, size - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, name);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

// One run of take_in_dropped().
class Intake {
 public:
  Intake(Spool& spool, UniqueFd folder, const StatePaths& paths, const config::Config& config, const mail::Aliases& aliases, const std::string& host,
         EventSink& events)
      : spool_(spool), folder_(std::move(folder)), paths_(paths), choice_(config), aliases_(aliases), host_(host), events_(events) {}

  Result<DropIntake> run(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      LONGLINE_CHECK(look_at(name));
      if (batch_.size() >= kBatchFiles || batch_bytes_ >= kBatchBytes) LONGLINE_CHECK(commit());
    }
    LONGLINE_CHECK(commit());
    return done_;
  }

  // Names of files that are gone for good need not be remembered.
  Result<void> forget_gone() {
    LONGLINE_TRY(const std::vector<std::string> known, spool_.dropped_names());
    if (known.empty()) return {};
    if (::fsync(folder_.get()) != 0 && errno != EINVAL) return system_error(errno, paths_.drop);
    return spool_.forget_dropped(known, [this](const std::string& name) { return !exists(name); });
  }

 private:
  struct Entry {
    UniqueFd fd;
    ino_t inode = 0;
    DroppedFile file;
    std::int64_t user = 0;
  };

  bool exists(const std::string& name) const {
    struct stat info {};
    return ::fstatat(folder_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
  }
  bool is_still_there(const std::string& name, ino_t inode) const {
    struct stat info {};
    return ::fstatat(folder_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_ino == inode;
  }

  Result<void> refuse(const std::string& name, std::int64_t user, const std::string& why) {
    ::unlinkat(folder_.get(), name.c_str(), 0);
    ++done_.refused;
    Event event{"mail.drop-refused"};
    event.text = escape_at_most(name, 80) + ": " + why;
    event.more.set("uid", user);
    events_.emit(event);
    return {};
  }

  Result<void> look_at(const std::string& name) {
    struct stat info {};
    if (::fstatat(folder_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(info.st_mode)) return {};
    if (name.front() == '.') {
      const Duration age = wall_now() - time_of(info.st_ctim);
      if (age > kUnfinished) ::unlinkat(folder_.get(), name.c_str(), 0);
      return {};
    }
    const auto user = std::int64_t{info.st_uid};
    if (!S_ISREG(info.st_mode)) return refuse(name, user, "not a regular file");
    Entry entry;
    entry.fd = UniqueFd(::openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!entry.fd || ::fstat(entry.fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    // A second name: perhaps of a file that is not its owner's to drop.
    if (info.st_nlink != 1) return {};
    if (info.st_size > static_cast<off_t>(mail::kMostDropped)) return refuse(name, user, "larger than a dropped message may be");
    LONGLINE_TRY(const std::string bytes, read_whole(entry.fd.get(), static_cast<std::size_t>(info.st_size), paths_.drop + "/" + name));
    mail::DropOrigin origin;
    origin.user_id = entry.user = std::int64_t{info.st_uid};
    origin.user = user_named(info.st_uid);
    origin.host = host_;
    // The owner can set every time of a file but this one.
    origin.at = std::min(time_of(info.st_ctim), wall_now());
    origin.unique = random_name();
    Result<mail::Submission> submission = mail::read_dropped(bytes, origin);
    if (!submission) return refuse(name, entry.user, escape_at_most(submission.error().message(), 300));
    mail::route_submission(*submission, aliases_, choice_, host_);
    entry.inode = info.st_ino;
    entry.file = {name, std::move(*submission), origin.at};
    batch_bytes_ += bytes.size();
    batch_.push_back(std::move(entry));
    return {};
  }

  Result<void> commit() {
    if (batch_.empty()) return {};
    std::vector<DroppedFile> files;
    for (Entry& entry : batch_) files.push_back(std::move(entry.file));
    std::size_t next = 0;
    LONGLINE_TRY(const std::vector<std::string> ids, spool_.take_dropped(files, [&](const std::string& name) {
      while (files[next].name != name) ++next;
      return is_still_there(name, batch_[next].inode);
    }));
    for (std::size_t i = 0; i < files.size(); ++i) {
      // Not before the commit: until then the file is the only copy.
      if (is_still_there(files[i].name, batch_[i].inode)) ::unlinkat(folder_.get(), files[i].name.c_str(), 0);
      if (ids[i].empty()) continue;
      ++done_.taken;
      Event event{"mail.dropped"};
      event.message = ids[i];
      event.more.set("uid", batch_[i].user).set("sender", files[i].submission.sender);
      event.more.set("size", static_cast<std::int64_t>(files[i].submission.content.size()));
      events_.emit(event);
    }
    batch_.clear();
    batch_bytes_ = 0;
    return {};
  }

  Spool& spool_;
  UniqueFd folder_;
  const StatePaths& paths_;
  mail::ConnectorChoice choice_;
  const mail::Aliases& aliases_;
  const std::string& host_;
  EventSink& events_;
  std::vector<Entry> batch_;
  std::size_t batch_bytes_ = 0;
  DropIntake done_;
};

}  // namespace

Result<bool> must_drop(const StatePaths& paths) {
  if (paths.drop.empty() || ::geteuid() == 0 || ::access(paths.spool.c_str(), R_OK | W_OK) == 0) return false;
  if (errno == ENOENT && ::access(std::filesystem::path(paths.spool).parent_path().c_str(), W_OK | X_OK) == 0) return false;
  if (::access(paths.drop.c_str(), W_OK | X_OK) == 0) return true;
  if (!paths.host_wide) return false;
  return Error(Errc::permission, paths.drop + ": users leave their mail there, and it is not there yet", Stage::queue)
      .with_hint("root's first mtaq makes it: mtaq list");
}

Result<void> prepare_drop_folder(const StatePaths& paths) {
  std::error_code unreadable;
  if (!paths.host_wide || ::geteuid() != 0 || !std::filesystem::is_directory("/etc/longline", unreadable)) return {};
  const std::string parent = std::filesystem::path(paths.spool).parent_path().string();
  LONGLINE_CHECK(ensure_folder(parent));
  struct stat info {};
  // A user must get through to the folder below.
  if (::stat(parent.c_str(), &info) == 0 && (info.st_mode & 0111) != 0111 && ::chmod(parent.c_str(), kSpoolFolderMode) != 0) {
    return system_error(errno, parent, Errc::cannot_create);
  }
  if (::mkdir(paths.drop.c_str(), 0700) != 0 && errno != EEXIST) return system_error(errno, paths.drop, Errc::cannot_create);
  if (::lstat(paths.drop.c_str(), &info) != 0) return system_error(errno, paths.drop);
  if (!S_ISDIR(info.st_mode) || info.st_uid != 0) return Error(Errc::permission, paths.drop + ": not a folder of root's", Stage::queue);
  if ((info.st_mode & 07777) != kDropMode && ::chmod(paths.drop.c_str(), kDropMode) != 0) return system_error(errno, paths.drop, Errc::cannot_create);
  return {};
}

Result<std::string> leave_in_drop_folder(const std::string& folder, std::string_view bytes) {
  if (bytes.size() > mail::kMostDropped) return Error(Errc::refused, "the message is larger than 100 MB", Stage::queue);
  // Names sort by age as far as the clock is right.
  const std::string name = fmt::format("{:012x}.{}", wall_now().time_since_epoch().count(), random_name());
  const std::string temporary = folder + "/." + name;
  LONGLINE_CHECK(write_new_file(temporary, bytes));
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, (folder + "/" + name).c_str(), RENAME_NOREPLACE) != 0) {
    Error error = system_error(errno, folder, Errc::cannot_create);
    ::unlink(temporary.c_str());
    return error;
  }
  // Users may not read the folder, so it cannot be opened to sync it; the file that was just renamed can.
  const UniqueFd file(::open((folder + "/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file && ::fsync(file.get()) != 0) return system_error(errno, folder);
  return name;
}

Result<DropIntake> take_in_dropped(const StatePaths& paths, const config::Config& config, const mail::Aliases& aliases, const std::string& host,
                                   EventSink& events) {
  if (paths.drop.empty()) return DropIntake();
  UniqueFd folder(::open(paths.drop.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return DropIntake();   // none, or not ours to list
  LONGLINE_TRY(const std::vector<std::string> names, names_in(folder.get(), paths.drop));
  if (names.empty() || ::access(std::filesystem::path(paths.spool).parent_path().c_str(), W_OK) != 0) return DropIntake();
  LONGLINE_TRY(Spool spool, Spool::open(paths.spool));
  Intake intake(spool, std::move(folder), paths, config, aliases, host, events);
  LONGLINE_TRY(const DropIntake done, intake.run(names));
  LONGLINE_CHECK(intake.forget_gone());
  return done;
}

mail::Aliases read_aliases(const StatePaths& paths) {
  constexpr std::size_t kMost = 1 << 20;
  struct stat info {};
  if (paths.aliases.empty() || ::stat(paths.aliases.c_str(), &info) != 0) return {};
  if (!S_ISREG(info.st_mode)) return mail::Aliases::unread("not read: it is no file");
  if ((info.st_mode & 022) != 0) return mail::Aliases::unread(fmt::format("not read: others may write it (mode {:04o})", info.st_mode & 07777));
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) return mail::Aliases::unread(fmt::format("not read: it is user {}'s", info.st_uid));
  const Result<std::string> text = read_file(paths.aliases, kMost);
  return text ? mail::Aliases(*text) : mail::Aliases::unread("not read: " + text.error().message());
}

}  // namespace longline::sys
