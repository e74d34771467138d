// SPDX-License-Identifier: MIT
#include "sys/spool/spool.hpp"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "sys/spool/spool_draft.hpp"
#include "sys/spool/spool_file.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr const char* kWriterSettings =
    "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=FAST;";

bool on_read_only_file_system(const std::string& path) {
  struct statvfs info {};
  return ::statvfs(path.c_str(), &info) == 0 && (info.f_flag & ST_RDONLY) != 0;
}

bool has_log(const std::string& path) {
  struct stat info {};
  return ::stat((path + "-wal").c_str(), &info) == 0 && info.st_size > 0;
}

Error damaged_or(Error error, const std::string& path) {
  // The header said that this is a spool; what SQLite cannot read now is damage.
  if (error.code == Errc::software) return Error(Errc::io, path + ": the file is damaged (" + error.what + ")", Stage::queue);
  return error;
}

}  // namespace

void SpoolBody::Close::operator()(sqlite3_blob* blob) const { sqlite3_blob_close(blob); }

Result<std::string> SpoolBody::read(std::int64_t offset, std::size_t most) {
  const auto left = static_cast<std::size_t>(std::clamp<std::int64_t>(size_ - offset, 0, size_));
  std::string bytes(std::min(most, left), '\0');
  const int rc = sqlite3_blob_read(blob_.get(), bytes.data(), static_cast<int>(bytes.size()), static_cast<int>(offset));
  if (rc != SQLITE_OK) return db_->error(rc);
  return bytes;
}

Result<Spool> Spool::open(const std::string& path) {
  LONGLINE_TRY(const SpoolFile file, inspect_spool_file(path, kVersion));
  remove_abandoned_drafts(path);
  if (file == SpoolFile::absent) {
    LONGLINE_CHECK(create_spool_file(path, kVersion, wall_now()));
    LONGLINE_CHECK(inspect_spool_file(path, kVersion));
  }
  if (on_read_only_file_system(path)) return Error(Errc::io, path + ": the file system is read-only", Stage::queue);
  LONGLINE_TRY(Sqlite db, Sqlite::open(path, Sqlite::Mode::read_write, kBusyTimeout));
  // The last one to leave does not write the log back: that would cost every `add` three more fsyncs.
  sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  Spool spool;
  spool.db_ = std::make_unique<Sqlite>(std::move(db));
  spool.reserve_.emplace(path + ".reserve");
  // Even the log's index may find no room.
  if (auto set = spool.also_from_reserve([&] { return spool.db_->run(kWriterSettings); }); !set) return damaged_or(std::move(set).error(), path);
  spool.bound_log();
  auto made = spool.also_from_reserve([&] { return add_missing_tables(*spool.db_); });
  if (!made && made.error().code != Errc::disk_full) return damaged_or(std::move(made).error(), path);
  if (auto dropped = spool.drop_dead_leases(); !dropped) return damaged_or(std::move(dropped).error(), path);
  return spool;
}

Result<Spool> Spool::open_read_only(const std::string& path) {
  Spool spool;
  LONGLINE_TRY(const SpoolFile file, inspect_spool_file(path, kVersion));
  if (file == SpoolFile::absent) return spool;
  LONGLINE_TRY(Sqlite db, Sqlite::open(path, Sqlite::Mode::read_only, kBusyTimeout));
  auto first = db.integer("SELECT count(*) FROM leases");
  if (!first && on_read_only_file_system(path) && !has_log(path)) {
    LONGLINE_TRY(db, Sqlite::open(path, Sqlite::Mode::immutable, kBusyTimeout));
    first = db.integer("SELECT count(*) FROM leases");
  }
  if (!first && first.error().code == Errc::disk_full) {
    // No room for the shared index of the log: read alone, with the index in memory.
    LONGLINE_TRY(db, Sqlite::open(path, Sqlite::Mode::read_write, kBusyTimeout));
    sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    LONGLINE_CHECK(db.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA query_only=1"));
    first = db.integer("SELECT count(*) FROM leases");
  }
  if (!first) return damaged_or(std::move(first).error(), path);
  spool.db_ = std::make_unique<Sqlite>(std::move(db));
  return spool;
}

Result<SqliteStatement*> Spool::statement(const char* sql) {
  const auto known = statements_.find(sql);
  if (known != statements_.end()) return &known->second;
  LONGLINE_TRY(SqliteStatement prepared, db_->prepare(sql));
  return &statements_.emplace(sql, std::move(prepared)).first->second;
}

// ---- leases

Result<std::vector<std::int64_t>> Spool::running_leases() {
  std::vector<std::int64_t> running;
  LONGLINE_TRY(SqliteStatement all, db_->prepare("SELECT id, pid, start, boot FROM leases"));
  while (true) {
    LONGLINE_TRY(const bool row, all.step());
    if (!row) return running;
    if (is_running({all.integer(1), all.integer(2), all.text(3)})) running.push_back(all.integer(0));
  }
}

Result<void> Spool::drop_dead_leases() {
  LONGLINE_TRY(const std::int64_t count, db_->integer("SELECT count(*) FROM leases"));
  LONGLINE_TRY(const std::vector<std::int64_t> before, running_leases());
  if (static_cast<std::size_t>(count) == before.size()) return {};
  return change([&]() -> Result<void> {
    LONGLINE_TRY(const std::vector<std::int64_t> running, running_leases());
    std::string list = "0";
    for (const std::int64_t id : running) list += "," + std::to_string(id);
    return db_->run(("DELETE FROM leases WHERE id NOT IN (" + list + ");"
                     "UPDATE messages SET lease=NULL WHERE lease IS NOT NULL AND lease NOT IN (" + list + ")")
                        .c_str());
  });
}

Result<std::optional<ProcessIdentity>> Spool::lease_holder(const std::string& name) {
  if (!db_) return std::optional<ProcessIdentity>();
  LONGLINE_TRY(SqliteStatement find, db_->prepare("SELECT pid, start, boot FROM leases WHERE name=?"));
  LONGLINE_TRY(const bool row, find.bind(1, name).step());
  if (!row) return std::optional<ProcessIdentity>();
  ProcessIdentity holder{find.integer(0), find.integer(1), find.text(2)};
  if (!is_running(holder)) return std::optional<ProcessIdentity>();
  return std::optional<ProcessIdentity>(std::move(holder));
}

Result<std::optional<ProcessIdentity>> Spool::take_lease(const std::string& name) {
  LONGLINE_CHECK(drop_dead_leases());
  std::optional<ProcessIdentity> holder;
  std::int64_t taken = 0;
  LONGLINE_CHECK(change([&]() -> Result<void> {
    LONGLINE_TRY(holder, lease_holder(name));
    if (holder) return {};
    const ProcessIdentity self = this_process();
    LONGLINE_TRY(SqliteStatement insert, db_->prepare("INSERT OR REPLACE INTO leases(name, pid, start, boot) VALUES(?,?,?,?)"));
    LONGLINE_CHECK(insert.bind(1, name).bind(2, self.pid).bind(3, self.start).bind(4, self.boot_id).run());
    taken = db_->last_insert_id();
    return {};
  }));
  if (!holder) lease_ = taken;
  return holder;
}

Result<void> Spool::release_lease() {
  if (lease_ == 0) return {};
  const std::string id = std::to_string(lease_);
  LONGLINE_CHECK(change([&] {
    return db_->run(("UPDATE messages SET lease=NULL WHERE lease=" + id + "; DELETE FROM leases WHERE id=" + id).c_str());
  }));
  lease_ = 0;
  return {};
}

// ---- receipts

Result<std::int64_t> Spool::last_receipt() {
  if (!db_) return std::int64_t{0};
  return db_->integer("SELECT seq FROM sqlite_sequence WHERE name='receipts'");
}

Result<std::vector<StoredReceipt>> Spool::receipts_after(std::int64_t number) {
  std::vector<StoredReceipt> receipts;
  LONGLINE_TRY(SqliteStatement* find, statement("SELECT n, seq, json FROM receipts WHERE n>? ORDER BY n"));
  find->bind(1, number);
  while (true) {
    auto row = find->step();
    if (!row || !*row) {
      find->reset();
      if (!row) return std::move(row).error();
      return receipts;
    }
    receipts.push_back({find->integer(0), mail::format_id(find->integer(1)), find->text(2)});
  }
}

Result<std::optional<StoredReceipt>> Spool::receipt_of(const std::string& id) {
  const auto sequence = mail::parse_id(id);
  if (!sequence || !db_) return std::optional<StoredReceipt>();
  LONGLINE_TRY(SqliteStatement find, db_->prepare("SELECT n, json FROM receipts WHERE seq=? ORDER BY n DESC LIMIT 1"));
  LONGLINE_TRY(const bool row, find.bind(1, *sequence).step());
  if (!row) return std::optional<StoredReceipt>();
  return std::optional<StoredReceipt>({find.integer(0), id, find.text(1)});
}

Result<bool> Spool::changed_by_others() {
  LONGLINE_TRY(const std::int64_t version, db_->integer("PRAGMA data_version"));
  return std::exchange(data_version_, version) != version;
}

}  // namespace longline::sys
