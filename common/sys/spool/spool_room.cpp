// SPDX-License-Identifier: MIT
// Writing, and what a full disk makes of it. A commit lies in the log first and takes its room twice, in the log and in the file. So that a log can
// always be written back, and its room be had again, a transaction takes the room in the file before it commits.
#include <sqlite3.h>
#include <sys/statvfs.h>

#include "sys/spool/spool.hpp"
#include "sys/spool/spool_file.hpp"

namespace longline::sys {
namespace {

constexpr int kPageSize = 4096;
constexpr int kMostPages = 250;   // in the log
constexpr int kFewPages = 8;      // whose moving finds room in the reserve
// On a full disk readers are waited for so long: they keep the log from being emptied.
constexpr Duration kReaders{500};
constexpr int kTriesForRoom = 5;

void empty_log_of(sqlite3* db, Duration patience) {
  wait_while_busy(db, patience);
  sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  wait_while_busy(db, Spool::kBusyTimeout);
}

// After each commit. The log is written back into the file, and emptied, when it has so many pages of 4 KiB. Small, because
// whoever opens a spool that nobody else has open reads the log once; emptied, because SQLite's own way leaves that to
// the next commit of the same process, which for `add` never comes. A reader or writer in the way: next time.
int write_back(void*, sqlite3* db, const char*, int pages) {
  if (pages >= kMostPages) empty_log_of(db, Duration(0));
  return SQLITE_OK;
}

bool is_full(const Result<void>& done) { return !done && done.error().code == Errc::disk_full; }

std::int64_t free_bytes(const std::string& path) {
  struct statvfs info {};
  return ::statvfs(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize) : 0;
}

Error full_disk(const std::string& path) { return Error(Errc::disk_full, path + ": disk full", Stage::queue); }

}  // namespace

void Spool::bound_log() {
  sqlite3_wal_hook(db_->handle(), write_back, nullptr);
  // Only with a chunk does SQLite take room ahead; one of a page changes nothing else.
  int chunk = kPageSize;
  sqlite3_file_control(db_->handle(), "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
}

void Spool::empty_log() { empty_log_of(db_->handle(), kReaders); }

Result<std::int64_t> Spool::page_count() {
  LONGLINE_TRY(SqliteStatement* count, statement("PRAGMA page_count"));
  LONGLINE_TRY(const bool row, count->step());
  const std::int64_t pages = row ? count->integer(0) : 0;
  count->reset();
  return pages;
}

/// The reserve is kept or spent under the spool's lock: another writer would take what is given up.
Result<void> Spool::transact(Reserve reserve, const std::function<Result<void>()>& statements) {
  LONGLINE_TRY(SqliteTransaction transaction, SqliteTransaction::begin(*db_));
  if (reserve == Reserve::keep && !reserve_->keep()) return full_disk(db_->path());
  if (reserve == Reserve::spend) reserve_->spend();
  LONGLINE_TRY(const std::int64_t before, page_count());
  LONGLINE_CHECK(statements());
  LONGLINE_TRY(const std::int64_t after, page_count());
  sqlite3_int64 size = after * kPageSize;
  const bool has_room = sqlite3_file_control(db_->handle(), "main", SQLITE_FCNTL_SIZE_HINT, &size) == SQLITE_OK;
  // What lacked room before us is no reason to keep mail from being removed.
  if (!has_room && after > before) return full_disk(db_->path());
  return transaction.commit();
}

Result<void> Spool::together(const std::function<Result<void>()>& statements) {
  return change([&]() -> Result<void> {
    is_together_ = true;
    Result<void> done = statements();
    is_together_ = false;
    return done;
  });
}

Result<void> Spool::change(const std::function<Result<void>()>& statements) {
  if (is_together_) return statements();
  Result<void> done = transact(Reserve::leave, statements);
  // More than once: others use the log, or come to room that we gave up, and end.
  for (int i = 0; i < kTriesForRoom && is_full(done); ++i) {
    empty_log();
    done = transact(Reserve::spend, statements);
  }
  if (!done) take_back(done.error());
  if ((done || is_full(done)) && !reserve_->is_whole()) make_room();
  return done;
}

Result<void> Spool::add_only(const std::function<Result<void>()>& statements) {
  Result<void> done = transact(Reserve::keep, statements);
  if (is_full(done)) {
    empty_log();
    done = transact(Reserve::keep, statements);
  }
  if (!done) take_back(done.error());
  if (is_full(done)) empty_log();   // what did not fit is in the way of what makes room
  return done;
}

/// Of what comes before the first transaction.
Result<void> Spool::also_from_reserve(const std::function<Result<void>()>& step) {
  Result<void> done = step();
  if (!is_full(done)) return done;
  reserve_->spend();
  return step();
}

Result<void> Spool::prepare_note() {
  // The last that is made: a full disk may have kept it from us when the spool was opened.
  LONGLINE_TRY(const bool has_tables, has_table("transfers_out"));
  if (!has_tables) LONGLINE_CHECK(add_missing_tables(*db_));
  if (reserve_->keep()) return {};
  empty_log();
  return reserve_->keep() ? Result<void>() : full_disk(db_->path());
}

/// Of removed messages, to the file system.
Result<void> Spool::vacuum(int pages, Reserve reserve) {
  return transact(reserve, [&] { return db_->run(("PRAGMA incremental_vacuum(" + std::to_string(pages) + ")").c_str()); });
}

/// Until the reserve is whole and the log can grow as it usually does, if there is so much.
void Spool::make_room() {
  constexpr int kSteps = 40;
  if (reserve_->keep()) return;
  for (int step = 0; step < kSteps; ++step) {
    empty_log();
    if (reserve_->keep() && free_bytes(db_->path()) >= std::int64_t{kMostPages} * kPageSize) return;
    const Result<std::int64_t> unused = db_->integer("PRAGMA freelist_count");
    if (!unused || *unused == 0 || !vacuum(kFewPages, Reserve::spend)) break;
  }
  empty_log();
  reserve_->keep();
}

// A commit whose fsync failed is in the log all the same, and who opens the spool next would find it there. It is written over by
// one that skips an id; what changes nothing SQLite would not write.
void Spool::take_back(const Error& failure) {
  if (failure.code != Errc::io && failure.code != Errc::disk_full) return;
  constexpr const char* kSkip =
      "BEGIN IMMEDIATE;"
      "INSERT INTO sqlite_sequence(name, seq) SELECT 'messages', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name='messages');"
      "UPDATE sqlite_sequence SET seq=seq+1 WHERE name='messages'; COMMIT";
  for (const char* sql : {"PRAGMA synchronous=OFF", kSkip, "ROLLBACK", "PRAGMA synchronous=FULL"}) (void)db_->run(sql);
}

Result<void> Spool::trim() {
  constexpr std::int64_t kWorthwhilePages = 256;
  int pages = 512;   // so that the log does not become as large as what is moved
  LONGLINE_TRY(const bool warns, has_table("warned"));
  if (warns) LONGLINE_CHECK(change([&] { return db_->run("DELETE FROM warned WHERE seq NOT IN (SELECT seq FROM messages)"); }));
  LONGLINE_TRY(const bool transfers, has_table("transfers_out"));
  if (transfers) LONGLINE_CHECK(change([&] { return db_->run("DELETE FROM transfers_out WHERE seq NOT IN (SELECT seq FROM messages)"); }));
  LONGLINE_TRY(std::int64_t unused, db_->integer("PRAGMA freelist_count"));
  if (unused < kWorthwhilePages) return {};
  while (unused > 0) {
    const bool few = pages == kFewPages;
    const Result<void> done = vacuum(pages, few ? Reserve::spend : Reserve::leave);
    if (few || is_full(done)) empty_log();
    if (is_full(done) && few) break;
    if (is_full(done)) {
      pages = kFewPages;
      continue;
    }
    LONGLINE_CHECK(done);
    LONGLINE_TRY(const std::int64_t left, db_->integer("PRAGMA freelist_count"));
    if (left >= unused) break;   // others fill what we empty
    unused = left;
  }
  reserve_->keep();
  return {};
}

}  // namespace longline::sys
