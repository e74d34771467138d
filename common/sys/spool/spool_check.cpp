// SPDX-License-Identifier: MIT
#include "sys/spool/spool_check.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/text.hpp"
#include "mail/patience.hpp"
#include "mail/queue.hpp"
#include "sys/process.hpp"
#include "sys/process_identity.hpp"
#include "sys/spool/spool.hpp"
#include "sys/spool/spool_draft.hpp"
#include "sys/spool/spool_file.hpp"
#include "sys/spool/stored_time.hpp"
#include "sys/sqlite.hpp"

namespace longline::sys {
namespace {

namespace fs = std::filesystem;

constexpr Duration kClockSlack(5 * 60'000);
constexpr std::int64_t kFirstPlausible = mail::kFirstPlausibleTime.time_since_epoch().count();
constexpr std::int64_t kLeastFree = 4 << 20;

class Check {
 public:
  Check(const StatePaths& paths, WallTime now) : paths_(paths), now_(now.time_since_epoch().count()) {}

  Result<std::vector<SpoolFinding>> run() {
    LONGLINE_TRY(const bool present, open());
    if (present) {
      LONGLINE_CHECK(integrity());
      if (!is_damaged_) {
        LONGLINE_CHECK(parts());
        LONGLINE_CHECK(clocks());
        LONGLINE_CHECK(leases());
        LONGLINE_CHECK(transfers());
      }
      rights();
    }
    clock();
    LONGLINE_CHECK(disk());
    leftovers();
    drop_folder();
    return std::move(findings_);
  }

 private:
  void find(Severity severity, std::string code, std::string message, std::string advice) {
    findings_.push_back({severity, std::move(code), std::move(message), std::move(advice)});
  }
  void damaged(const std::string& how) {
    is_damaged_ = true;
    find(Severity::error, "damaged", fmt::format("{} is damaged: {}", paths_.spool, escape_at_most(how, 300)),
         "copy the file away first; then: sqlite3 spool.db .recover | sqlite3 new.db; look at the disk");
  }

  Result<bool> open() {
    const Result<SpoolFile> file = inspect_spool_file(paths_.spool, Spool::kVersion);
    if (!file && file.error().code != Errc::config && file.error().code != Errc::io) return file.error();
    if (!file) {
      const bool is_other = file.error().code == Errc::config;   // another program's, or another version's
      if (is_other) find(Severity::error, "not-ours", file.error().message(), file.error().hint);
      else damaged(file.error().message());
      return false;
    }
    if (*file == SpoolFile::absent) return false;
    Result<Sqlite> db = Sqlite::open(paths_.spool, Sqlite::Mode::read_only, Duration(30'000));
    if (db) {
      db_.emplace(std::move(*db));
    } else {
      if (db.error().code == Errc::permission || db.error().code == Errc::busy) return std::move(db).error();
      damaged(db.error().message());
    }
    return db_.has_value();
  }

  Result<void> integrity() {
    Result<SqliteStatement> check = db_->prepare("PRAGMA quick_check(5)");
    std::string said;
    while (check) {
      const Result<bool> row = check->step();
      if (!row && row.error().code == Errc::busy) return row.error();
      if (!row) said += (said.empty() ? "" : "; ") + row.error().message();
      if (!row || !*row) break;
      if (check->text(0) != "ok") said += (said.empty() ? "" : "; ") + check->text(0);
    }
    if (!check) said = check.error().message();
    if (!said.empty()) damaged(said);
    return {};
  }

  /// The ids of what a query finds: "3 messages (0a1b2c3, …)"; "" for none.
  Result<std::string> messages(std::string_view sql) {
    LONGLINE_TRY(SqliteStatement rows, db_->prepare(sql));
    std::int64_t count = 0;
    std::string ids;
    while (true) {
      LONGLINE_TRY(const bool row, rows.step());
      if (!row) break;
      if (++count <= 5) ids += (ids.empty() ? "" : ", ") + mail::format_id(rows.integer(0));
    }
    if (count == 0) return std::string();
    return fmt::format("{} message{} ({}{})", count, count == 1 ? "" : "s", ids, count > 5 ? ", …" : "");
  }

  Result<void> parts() {
    LONGLINE_TRY(const std::string no_body, messages("SELECT seq FROM messages WHERE seq NOT IN (SELECT seq FROM bodies) ORDER BY seq"));
    if (!no_body.empty()) find(Severity::error, "no-body", no_body + " without a body: they cannot be sent", "mtaq remove ID; tell the senders");
    LONGLINE_TRY(const std::string nobody, messages("SELECT seq FROM messages WHERE seq NOT IN (SELECT seq FROM recipients) ORDER BY seq"));
    if (!nobody.empty()) find(Severity::error, "no-recipient", nobody + " without a recipient: they are never listed", "mtaq remove ID");
    LONGLINE_TRY(const std::string cut, messages("SELECT m.seq FROM messages m JOIN bodies b USING(seq) WHERE length(b.content)<>m.size ORDER BY m.seq"));
    if (!cut.empty()) find(Severity::error, "wrong-size", cut + " whose body has another size than was noted", "mtaq show ID; mtaq remove ID");
    LONGLINE_TRY(const std::int64_t bodies, db_->integer("SELECT count(*) FROM bodies WHERE seq NOT IN (SELECT seq FROM messages)"));
    LONGLINE_TRY(const std::int64_t recipients, db_->integer("SELECT count(*) FROM recipients WHERE seq NOT IN (SELECT seq FROM messages)"));
    if (bodies + recipients > 0) {
      find(Severity::warning, "orphan", fmt::format("{} bodies and {} recipients belong to no message", bodies, recipients),
           "they only take room; nothing that mtaq does makes such");
    }
    return {};
  }

  void clock() {
    if (now_ < kFirstPlausible) find(Severity::error, "clock-unset", "the clock of this host says that it is before 2020", "set it before mail is sent");
  }

  Result<void> clocks() {
    LONGLINE_TRY(const std::string past, messages(fmt::format("SELECT seq FROM messages WHERE arrived<{} ORDER BY seq", kFirstPlausible)));
    if (!past.empty() && now_ >= kFirstPlausible) {
      find(Severity::warning, "clock-jumped", past + " arrived before 2020: the clock was not set then",
           "such mail does not expire");
    }
    const std::int64_t ahead = now_ + kClockSlack.count();
    LONGLINE_TRY(const std::string future, messages(fmt::format("SELECT seq FROM messages WHERE arrived>{} ORDER BY seq", ahead)));
    if (!future.empty()) {
      find(Severity::warning, "clock-jumped", future + " arrived in the future: the clock was wrong then, or is now",
           "such mail neither expires nor counts as old");
    }
    LONGLINE_TRY(const std::int64_t late,
                 db_->integer(fmt::format("SELECT count(*) FROM recipients WHERE state=1 AND next_attempt>{}", now_ + kDay)));
    if (late > 0) {
      find(Severity::warning, "clock-jumped", fmt::format("{} recipients are to be tried more than a day from now", late),
           "they count as due; mtaq requeue ID forgets the time");
    }
    return {};
  }

  Result<void> leases() {
    LONGLINE_TRY(SqliteStatement all, db_->prepare("SELECT name, pid, start, boot FROM leases"));
    while (true) {
      LONGLINE_TRY(const bool row, all.step());
      if (!row) return {};
      if (is_running({all.integer(1), all.integer(2), all.text(3)})) continue;
      find(Severity::warning, "dead-flush", fmt::format("process {}, which had the right to '{}', is gone", all.integer(1), escape(all.text(0))),
           "nothing to do: the next flush takes over");
    }
  }

  Result<void> transfers() {
    LONGLINE_TRY(const std::int64_t made,
                 db_->integer("SELECT count(*) FROM sqlite_master WHERE name IN ('transfers_in','transfer_segments','transfers_out')"));
    if (made != 3) return {};
    LONGLINE_TRY(const std::int64_t torn, db_->integer("SELECT count(*) FROM transfers_in t WHERE completed=0 AND (bytes, serial)<>"
                                                       "(SELECT ifnull(sum(length(content)),0), count(*) FROM transfer_segments WHERE transfer=t.n)"));
    LONGLINE_TRY(const std::int64_t orphans, db_->integer("SELECT count(*) FROM transfer_segments WHERE transfer NOT IN (SELECT n FROM transfers_in)"));
    if (torn + orphans > 0) {
      find(Severity::error, "torn-transfer", fmt::format("{} transfers lack a part, {} parts belong to no transfer", torn, orphans),
           "nothing that mtaq does makes such: look at the disk; the peers send those messages again");
    }
    LONGLINE_TRY(const std::int64_t lost, db_->integer("SELECT count(*) FROM transfers_out WHERE seq NOT IN (SELECT seq FROM messages)"));
    if (lost > 0) {
      find(Severity::warning, "orphan", fmt::format("{} transfers belong to no message", lost), "an older longline removed those; the next flush tidies up");
    }
    LONGLINE_TRY(const std::int64_t waiting, db_->integer("SELECT count(*) FROM transfers_in WHERE completed=0"));
    LONGLINE_TRY(const std::int64_t bytes, db_->integer("SELECT sum(bytes) FROM transfers_in WHERE completed=0"));
    LONGLINE_TRY(const std::int64_t stale, db_->integer(fmt::format("SELECT count(*) FROM transfers_in WHERE completed=0 AND changed<{}", now_ - kDay)));
    if (stale > 0) {
      find(Severity::warning, "stale-transfer",
           fmt::format("{} of {} messages that are half here ({}) have not grown for a day", stale, waiting, format_size(bytes)),
           "their peers call no more, or have sent them anew; they are dropped by and by");
    }
    return {};
  }

  /// Where the spool is, or will be: the first of its folders that is there.
  std::string place() const {
    fs::path at = paths_.spool;
    std::error_code unseen;
    while (!fs::exists(at, unseen) && at.has_relative_path()) at = at.parent_path();
    return at.empty() ? "." : at.string();
  }

  Result<void> disk() {
    struct statvfs room {};
    if (::statvfs(place().c_str(), &room) != 0) return {};
    const auto free = static_cast<std::int64_t>(room.f_bavail) * static_cast<std::int64_t>(room.f_frsize);
    std::int64_t queued = 0, lately = 0;
    const bool is_readable = db_ && !is_damaged_;
    if (is_readable) {
      LONGLINE_TRY(queued, db_->integer("SELECT sum(size) FROM messages"));
      LONGLINE_TRY(lately, db_->integer(fmt::format("SELECT sum(size) FROM messages WHERE arrived BETWEEN {} AND {}", now_ - kDay, now_)));
    }
    if (free < kLeastFree) {
      find(Severity::error, "disk-full", fmt::format("{} free where the spool is, {} queued", format_size(free), format_size(queued)),
           "make room; what is sent or removed makes some too");
    } else if (lately > 0 && free / lately < 7) {
      find(Severity::warning, "disk-ahead",
           fmt::format("{} free, {} came in the last day: full in {} days if it goes on so", format_size(free), format_size(lately), free / lately),
           "more calls, fewer messages, or a larger disk");
    } else if (free < queued) {
      find(Severity::warning, "disk-ahead", fmt::format("{} free, {} queued: as much again does not fit", format_size(free), format_size(queued)),
           "make room");
    }
    if (room.f_files > 0 && room.f_favail < 100) {
      find(Severity::error, "disk-full", fmt::format("{} inodes free where the spool is", room.f_favail), "remove files");
    }
    if (is_readable && !DiskReserve(paths_.spool + ".reserve").is_whole()) {
      find(Severity::warning, "no-reserve", "the reserve for a full disk is not there: it was used, or the disk is full",
           "make room; the next mtaq that writes takes it again");
    }
    return {};
  }

  void rights() {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      struct stat info {};
      const std::string path = paths_.spool + suffix;
      if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 077) == 0) continue;
      find(Severity::error, "readable", fmt::format("{} can be read or written by others (mode {:04o})", path, info.st_mode & 07777), "chmod 600 " + path);
    }
  }

  /// spool.db.new.PID: a spool that was being made.
  void leftovers() {
    for (const std::string& name : abandoned_drafts(paths_.spool)) {
      find(Severity::warning, "leftover", name + " was left by a process that is gone", "the next mtaq that writes takes it away");
    }
  }

  void drop_folder() {
    struct stat info {};
    if (paths_.drop.empty() || ::lstat(paths_.drop.c_str(), &info) != 0) return;
    if (!S_ISDIR(info.st_mode)) return find(Severity::error, "drop-folder", paths_.drop + " is no folder", "rm it; root's next mtaq makes one");
    if ((info.st_mode & 07777) != 01733) {
      const char* why = (info.st_mode & 01000) == 0 ? "users can take each other's mail away" : "users can list it or cannot leave mail";
      find(Severity::error, "drop-folder", fmt::format("{} has mode {:04o}: {}", paths_.drop, info.st_mode & 07777, why), "chmod 1733 " + paths_.drop);
    }
    std::error_code unreadable;
    std::int64_t waiting = 0, junk = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(paths_.drop, unreadable)) {
      struct stat file {};
      if (::lstat(entry.path().c_str(), &file) != 0 || entry.path().filename().string().starts_with('.')) continue;
      (S_ISREG(file.st_mode) && file.st_nlink == 1 ? waiting : junk) += 1;
    }
    if (waiting > 0) find(Severity::warning, "drop-waiting", fmt::format("{} messages wait in {}", waiting, paths_.drop), "mtaq list, as root, takes them in");
    if (junk > 0) {
      find(Severity::warning, "drop-junk", fmt::format("{} things in {} are no mail: folders, or files with a second name", junk, paths_.drop),
           "ls -la " + paths_.drop + "; who owns them put them there");
    }
  }

  const StatePaths& paths_;
  std::int64_t now_;
  std::optional<Sqlite> db_;
  bool is_damaged_ = false;
  std::vector<SpoolFinding> findings_;
};

}  // namespace

Result<std::vector<SpoolFinding>> check_spool(const StatePaths& paths, WallTime now) { return Check(paths, now).run(); }

}  // namespace longline::sys
