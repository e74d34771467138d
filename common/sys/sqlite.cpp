// SPDX-License-Identifier: MIT
#include "sys/sqlite.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace longline::sys {
namespace {

Error sqlite_error(sqlite3* db, int code, const std::string& path) {
  int cause = db == nullptr ? 0 : sqlite3_system_errno(db);
  // Of a commit that fails SQLite keeps no cause; the system's is still there.
  if (cause == 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO)) cause = errno;
  const std::string words = db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db);
  switch (code & 0xff) {
    case SQLITE_FULL: return Error(Errc::disk_full, path + ": disk full", Stage::queue);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Error(Errc::busy, path + ": another process is writing and does not end", Stage::queue);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(Errc::io, path + ": the file is damaged (" + words + ")", Stage::queue)
          .with_hint("nothing was changed; keep a copy and try 'sqlite3 FILE .recover'");
    case SQLITE_NOMEM: return Error(Errc::os, path + ": out of memory", Stage::queue);
    case SQLITE_TOOBIG: return Error(Errc::refused, path + ": the message is too large to store", Stage::queue);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Error(cause == EROFS ? Errc::io : Errc::permission, path + ": cannot be written (" + words + ")",
                   Stage::queue);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: {
      if (cause == ENOSPC || cause == EDQUOT) return Error(Errc::disk_full, path + ": disk full", Stage::queue);
      if (cause != 0) return system_error(cause, path).in_stage(Stage::queue);
      return Error(Errc::io, path + ": " + words, Stage::queue);
    }
    default: return Error(Errc::software, path + ": " + words, Stage::queue);
  }
}

// SQLite's own file layer, but a log that is there is not opened "or created": SQLite then syncs the folder at each
// process's first commit, which costs a process that commits once as much as the commit. Whoever makes a database makes
// its log with it, and syncs the folder once (spool_file.cpp).
const char* file_layer() {
  static sqlite3_vfs* const base = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs layer = [] {
    sqlite3_vfs copy = *base;
    copy.zName = "longline";
    copy.pNext = nullptr;
    copy.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
      int exists = 0;
      if ((flags & SQLITE_OPEN_WAL) != 0 && base->xAccess(base, name, SQLITE_ACCESS_EXISTS, &exists) == SQLITE_OK && exists != 0) {
        flags &= ~SQLITE_OPEN_CREATE;
      }
      return base->xOpen(base, name, file, flags, out);
    };
    return copy;
  }();
  static const int registered = sqlite3_vfs_register(&layer, 0);
  return registered == SQLITE_OK ? layer.zName : nullptr;
}

// A URI, because only there `immutable` can be said.
std::string uri(const std::string& path, Sqlite::Mode mode) {
  if (mode == Sqlite::Mode::memory) return ":memory:";
  std::string out = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + (mode == Sqlite::Mode::read_write  ? "?mode=rw"
                : mode == Sqlite::Mode::read_only ? "?mode=ro"
                                                  : "?mode=ro&immutable=1");
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Sqlite::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

SqliteStatement::SqliteStatement(sqlite3* db, sqlite3_stmt* statement, std::string name)
    : db_(db), statement_(statement), name_(std::move(name)) {}

SqliteStatement& SqliteStatement::bind(int parameter, std::int64_t value) {
  if (const int rc = sqlite3_bind_int64(statement_.get(), parameter, value); rc != SQLITE_OK) bind_failure_ = rc;
  return *this;
}

SqliteStatement& SqliteStatement::bind(int parameter, std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  const int rc = sqlite3_bind_text64(statement_.get(), parameter, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (rc != SQLITE_OK) bind_failure_ = rc;
  return *this;
}

SqliteStatement& SqliteStatement::bind(int parameter, const std::optional<std::int64_t>& value) {
  if (value) return bind(parameter, *value);
  if (const int rc = sqlite3_bind_null(statement_.get(), parameter); rc != SQLITE_OK) bind_failure_ = rc;
  return *this;
}

SqliteStatement& SqliteStatement::bind_blob(int parameter, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  const int rc = sqlite3_bind_blob64(statement_.get(), parameter, data, bytes.size(), SQLITE_STATIC);
  if (rc != SQLITE_OK) bind_failure_ = rc;
  return *this;
}

Result<bool> SqliteStatement::step() {
  if (bind_failure_ != 0) return sqlite_error(db_, std::exchange(bind_failure_, 0), name_);
  const int rc = sqlite3_step(statement_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return sqlite_error(db_, rc, name_);
}

Result<void> SqliteStatement::run() {
  Result<bool> result = step();
  reset();
  if (!result) return std::move(result).error();
  return {};
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t SqliteStatement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view SqliteStatement::view(int column) const {
  // One look at the column for both; a connection is one thread's, so that the value needs no mutex.
  sqlite3_value* value = sqlite3_column_value(statement_.get(), column);
  const void* data = sqlite3_value_blob(value);
  const int length = sqlite3_value_bytes(value);
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(length));
}

std::optional<std::int64_t> SqliteStatement::optional_integer(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

namespace {

// SQLite's own handler sleeps for up to 100 ms; whoever else writes is done in one or two.
int sleep_while_busy(void* most_ms, int tries) {
  constexpr int kQuick = 200;
  constexpr std::int64_t kQuickSleep = 500, kSleep = 5'000;   // microseconds
  const std::int64_t slept = std::min(tries, kQuick) * kQuickSleep + std::max(0, tries - kQuick) * kSleep;
  if (slept >= static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(most_ms)) * 1000) return 0;
  ::usleep(static_cast<useconds_t>(tries < kQuick ? kQuickSleep : kSleep));
  return 1;
}

}  // namespace

void wait_while_busy(sqlite3* db, Duration most) {
  sqlite3_busy_handler(db, sleep_while_busy, reinterpret_cast<void*>(static_cast<std::intptr_t>(most.count())));
}

Result<Sqlite> Sqlite::open(const std::string& path, Mode mode, Duration busy_timeout) {
  sqlite3* db = nullptr;
  const bool writes = mode == Mode::read_write || mode == Mode::memory;
  const int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  const int rc = sqlite3_open_v2(uri(path, mode).c_str(), &db, flags, file_layer());
  Sqlite result{path};
  result.db_.reset(db);
  if (rc != SQLITE_OK) return sqlite_error(db, rc, path);
  sqlite3_extended_result_codes(db, 1);
  wait_while_busy(db, busy_timeout);
  return result;
}

Error Sqlite::error(int code) const { return sqlite_error(db_.get(), code, path_); }

Result<void> Sqlite::run(const char* sql) {
  const int rc = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error(rc);
  return {};
}

Result<SqliteStatement> Sqlite::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (rc != SQLITE_OK) return error(rc);
  return SqliteStatement(db_.get(), statement, path_);
}

Result<std::int64_t> Sqlite::integer(std::string_view sql) {
  LONGLINE_TRY(SqliteStatement statement, prepare(sql));
  LONGLINE_TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

std::int64_t Sqlite::last_insert_id() const { return sqlite3_last_insert_rowid(db_.get()); }
int Sqlite::changes() const { return sqlite3_changes(db_.get()); }

Result<SqliteTransaction> SqliteTransaction::begin(Sqlite& db) {
  LONGLINE_CHECK(db.run("BEGIN IMMEDIATE"));
  return SqliteTransaction(db);
}

SqliteTransaction::~SqliteTransaction() {
  // After a full disk SQLite may have rolled back by itself.
  if (db_ != nullptr && sqlite3_get_autocommit(db_->handle()) == 0) {
    sqlite3_exec(db_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Result<void> SqliteTransaction::commit() {
  LONGLINE_CHECK(db_->run("COMMIT"));
  db_ = nullptr;
  return {};
}

}  // namespace longline::sys
