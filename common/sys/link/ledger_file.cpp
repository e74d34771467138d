// SPDX-License-Identifier: MIT
#include "sys/link/ledger_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "sys/state_paths.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

// Times are milliseconds since 1970, durations milliseconds, money millionths. `seen` is when the call was last heard of, `connected`
// when it was at CONNECT by the same calendar; how long it lasted is measured by the steady clock, since calendars are put right
// during calls. `ended` is NULL while the call is under way.
constexpr const char* kLedgerSchema = R"sql(
CREATE TABLE calls(
  id INTEGER PRIMARY KEY AUTOINCREMENT, link TEXT NOT NULL, pid INTEGER NOT NULL, start INTEGER NOT NULL, boot TEXT NOT NULL,
  started INTEGER NOT NULL, connected INTEGER, seen INTEGER NOT NULL, ended INTEGER, duration INTEGER NOT NULL DEFAULT 0,
  number TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, bytes_in INTEGER NOT NULL DEFAULT 0,
  bytes_out INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0, code TEXT NOT NULL DEFAULT '',
  stage TEXT NOT NULL DEFAULT '', ras INTEGER, cause TEXT NOT NULL DEFAULT '', signal INTEGER, due INTEGER NOT NULL DEFAULT 0,
  moved INTEGER NOT NULL DEFAULT 0);
CREATE INDEX calls_by_link ON calls(link, seen);
CREATE INDEX calls_open ON calls(link) WHERE ended IS NULL;
CREATE TABLE backoff(
  link TEXT PRIMARY KEY, failures INTEGER NOT NULL, since INTEGER NOT NULL, since_boot INTEGER NOT NULL, boot TEXT NOT NULL,
  wait INTEGER NOT NULL, for_good INTEGER NOT NULL, code TEXT NOT NULL, stage TEXT NOT NULL, cause TEXT NOT NULL) WITHOUT ROWID;
)sql";
constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kLedgerId = 0x4c4c636c;   // "LLcl"

/// Somebody else's commit takes milliseconds, and hides nothing from who only reads.
constexpr Duration kLedgerPatience{250};

Error in_policy(Error error) {
  error.stage = Stage::policy;
  if (error.code == Errc::busy) error.what += " (not waited for)";
  return error;
}

/// Version and owner; 0 for a file in which nothing is yet.
Result<std::int64_t> version_of(Sqlite& db) {
  LONGLINE_TRY(const std::int64_t version, db.integer("PRAGMA user_version"));
  LONGLINE_TRY(const std::int64_t application, db.integer("PRAGMA application_id"));
  LONGLINE_TRY(const std::int64_t tables, db.integer("SELECT count(*) FROM sqlite_master"));
  if (tables == 0 && version == 0 && application == 0) return 0;
  if (application != kLedgerId) return Error(Errc::config, db.path() + ": a database of another program, not a ledger of calls");
  if (version > kVersion) {
    return Error(Errc::config, fmt::format("{}: a ledger of version {}; this longline knows version {}", db.path(), version, kVersion));
  }
  return version;
}

Result<Sqlite> open_and_prepare(const std::string& path, Duration patience) {
  LONGLINE_CHECK(ensure_folder(std::filesystem::path(path).parent_path().string()));
  { const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600)); }
  LONGLINE_TRY(Sqlite db, Sqlite::open(path, Sqlite::Mode::read_write, patience));
  // What a power cut takes away of the last minutes is not worth a wait for the disk in the middle of a call.
  LONGLINE_CHECK(db.run("PRAGMA auto_vacuum=FULL; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
                        "PRAGMA journal_size_limit=262144;"));
  LONGLINE_TRY(const std::int64_t version, version_of(db));
  if (version == 0) {
    LONGLINE_TRY(SqliteTransaction transaction, SqliteTransaction::begin(db));
    LONGLINE_TRY(const std::int64_t meanwhile, version_of(db));
    if (meanwhile == 0) {
      LONGLINE_CHECK(db.run(kLedgerSchema));
      LONGLINE_CHECK(db.run(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kLedgerId, kVersion).c_str()));
    }
    LONGLINE_CHECK(transaction.commit());
  }
  return db;
}

Result<Sqlite> open_reader(const std::string& path) {
  LONGLINE_TRY(Sqlite db, Sqlite::open(path, Sqlite::Mode::read_only, kLedgerPatience));
  Result<std::int64_t> version = version_of(db);
  if (!version && version.error().code != Errc::config) {
    // No room for the index that readers and writers share: read alone, with the index in memory. The same where nothing may be
    // written, and the log is empty.
    Result<Sqlite> alone = Sqlite::open(path, Sqlite::Mode::read_write, kLedgerPatience);
    if (alone && alone->run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA query_only=1")) {
      Result<std::int64_t> second = version_of(*alone);
      if (second) return second.value() == 0 ? Result<Sqlite>(Error(Errc::not_found, path + ": no call yet")) : std::move(alone);
    }
    struct stat log {};
    if (::stat((path + "-wal").c_str(), &log) != 0 || log.st_size == 0) {
      LONGLINE_TRY(db, Sqlite::open(path, Sqlite::Mode::immutable, kLedgerPatience));
      version = version_of(db);
    }
  }
  if (!version) return std::move(version).error();
  if (*version == 0) return Error(Errc::not_found, path + ": no call yet");
  return db;
}

}  // namespace

Result<Sqlite> open_ledger_for_writing(const std::string& path, Duration patience) {
  Result<Sqlite> db = open_and_prepare(path, patience);
  if (!db) return in_policy(std::move(db).error());
  return db;
}

Result<Sqlite> open_ledger_for_reading(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return in_policy(system_error(errno, path));
  if (file.st_size == 0) return in_policy(Error(Errc::not_found, path + ": no call yet"));
  Result<Sqlite> db = open_reader(path);
  if (!db) return in_policy(std::move(db).error());
  return db;
}

void set_ledger_aside(const std::string& path) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return;
  static_cast<void>(std::rename(path.c_str(), (path + ".damaged").c_str()));
  // A log that belongs to the damaged file must not be played into the new one.
  for (const char* suffix : {"-wal", "-shm"}) static_cast<void>(std::rename((path + suffix).c_str(), (path + ".damaged" + suffix).c_str()));
}

}  // namespace longline::sys
