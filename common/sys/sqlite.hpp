// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/time.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace longline::sys {

/// A prepared statement. Columns count from 0, parameters from 1; bound bytes are copied unless bind_blob says not.
/// A bind cannot fail but for memory, which step() then reports.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* db, sqlite3_stmt* statement, std::string name);

  SqliteStatement& bind(int parameter, std::int64_t value);
  SqliteStatement& bind(int parameter, std::string_view value);
  SqliteStatement& bind(int parameter, const std::optional<std::int64_t>& value);
  /// Not copied: the bytes must live until the next reset().
  SqliteStatement& bind_blob(int parameter, std::string_view bytes);

  /// true: a row is there. After false or an error, reset() before the next use.
  Result<bool> step();
  /// Steps once, expects no row, and resets.
  Result<void> run();
  void reset();

  std::int64_t integer(int column) const;
  std::string text(int column) const { return std::string(view(column)); }
  std::string_view view(int column) const;                          ///< of the same bytes, until the next step() or reset()
  std::optional<std::int64_t> optional_integer(int column) const;   ///< nullopt for NULL

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::string name_;
  int bind_failure_ = 0;
};

/// One connection to one SQLite file, for one thread. Errors carry the file's name: Errc::disk_full, busy (another
/// process held it longer than the deadline), io (damaged, or the disk failed), permission, not_found.
class Sqlite {
 public:
  enum class Mode {
    read_write,   ///< the file must exist
    read_only,
    immutable,    ///< for a read-only file system: no lock, no log
    memory,       ///< no file; the path is only a name for errors
  };
  static Result<Sqlite> open(const std::string& path, Mode mode, Duration busy_timeout);

  /// One or more statements without parameters; rows are dropped.
  Result<void> run(const char* sql);
  Result<SqliteStatement> prepare(std::string_view sql);
  /// The first column of the first row, 0 when there is none.
  Result<std::int64_t> integer(std::string_view sql);

  std::int64_t last_insert_id() const;
  int changes() const;
  const std::string& path() const { return path_; }
  sqlite3* handle() const { return db_.get(); }
  /// The Error of the last call, whose result code this is.
  Error error(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  explicit Sqlite(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
};

/// What another process has locked is waited for so long; asked for often, since most hold a lock for a millisecond.
void wait_while_busy(sqlite3* db, Duration most);

/// BEGIN IMMEDIATE … COMMIT. Rolls back unless commit() succeeded.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> begin(Sqlite& db);
  SqliteTransaction(SqliteTransaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();
  /// After success the data is on the disk.
  Result<void> commit();

 private:
  explicit SqliteTransaction(Sqlite& db) : db_(&db) {}
  Sqlite* db_;
};

}  // namespace longline::sys
