// SPDX-License-Identifier: MIT
#include "sys/spool/spool_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include "sys/durable_file.hpp"
#include "sys/spool/spool_draft.hpp"
#include "sys/sqlite.hpp"
#include "sys/state_paths.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

// The layout of version 1. Times are milliseconds since 1970, states the numbers of mail::RecipientState.
// Bodies are apart so that a listing does not walk through them.
constexpr const char* kSpoolSchema = R"sql(
PRAGMA auto_vacuum=INCREMENTAL;
CREATE TABLE messages(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, box INTEGER NOT NULL, arrived INTEGER NOT NULL, size INTEGER NOT NULL,
  sender TEXT NOT NULL, message_id TEXT NOT NULL, subject TEXT NOT NULL, priority INTEGER NOT NULL,
  eight_bit INTEGER NOT NULL, held INTEGER NOT NULL DEFAULT 0, lease INTEGER, attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE recipients(
  seq INTEGER NOT NULL, n INTEGER NOT NULL, address TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '', next_attempt INTEGER, PRIMARY KEY(seq, n)) WITHOUT ROWID;
CREATE TABLE bodies(seq INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE leases(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, pid INTEGER NOT NULL, start INTEGER NOT NULL,
  boot TEXT NOT NULL);
CREATE TABLE receipts(n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE peers(name TEXT PRIMARY KEY, window INTEGER NOT NULL, bytes INTEGER NOT NULL, learned INTEGER NOT NULL);
)sql";

// Grows at its end; a table that is here is never changed. Who reads a spool that no writer of this longline has opened finds none of them.
constexpr const char* kLaterTables = R"sql(
CREATE TABLE IF NOT EXISTS connectors(
  name TEXT PRIMARY KEY, open_failures INTEGER NOT NULL DEFAULT 0, transfer_failures INTEGER NOT NULL DEFAULT 0,
  next_open INTEGER, reason TEXT NOT NULL DEFAULT '', retrieved INTEGER);
CREATE TABLE IF NOT EXISTS warned(seq INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS dsn_messages(seq INTEGER PRIMARY KEY, ret TEXT NOT NULL, envid TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dsn_recipients(
  seq INTEGER NOT NULL, address TEXT NOT NULL, notify TEXT NOT NULL, orcpt TEXT NOT NULL, PRIMARY KEY(seq, address)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dropped(name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS received(n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS peer_memory(
  name TEXT NOT NULL, hop TEXT NOT NULL, size_limit INTEGER NOT NULL, tried INTEGER NOT NULL, rejected INTEGER NOT NULL,
  rate INTEGER NOT NULL, round_trip INTEGER NOT NULL, blame INTEGER NOT NULL, blamed INTEGER NOT NULL, learned INTEGER NOT NULL,
  PRIMARY KEY(name, hop));
CREATE TABLE IF NOT EXISTS traffic(
  day INTEGER NOT NULL, connector TEXT NOT NULL, sender TEXT NOT NULL, messages_out INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
  messages_in INTEGER NOT NULL, bytes_in INTEGER NOT NULL, PRIMARY KEY(day, connector, sender)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS imports(n INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS transfers_in(
  n INTEGER PRIMARY KEY AUTOINCREMENT, peer TEXT NOT NULL, latest BLOB NOT NULL, mta TEXT NOT NULL, checkpoint_size INTEGER NOT NULL,
  window INTEGER NOT NULL, serial INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, completed INTEGER NOT NULL DEFAULT 0,
  began INTEGER NOT NULL, changed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS transfer_names(
  peer TEXT NOT NULL, session BLOB NOT NULL, activity BLOB NOT NULL, transfer INTEGER NOT NULL, PRIMARY KEY(peer, session, activity)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS names_of_transfer ON transfer_names(transfer);
CREATE TABLE IF NOT EXISTS transfer_segments(
  n INTEGER PRIMARY KEY, transfer INTEGER NOT NULL, serial INTEGER NOT NULL, content BLOB NOT NULL, UNIQUE(transfer, serial));
CREATE TABLE IF NOT EXISTS transfers_out(
  n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, connector TEXT NOT NULL, recipients TEXT NOT NULL, prefix BLOB NOT NULL, with_body INTEGER NOT NULL,
  size INTEGER NOT NULL, session BLOB NOT NULL, activity BLOB NOT NULL, latest BLOB NOT NULL, mta TEXT NOT NULL, checkpoint_size INTEGER NOT NULL,
  window INTEGER NOT NULL, serial INTEGER NOT NULL, bytes INTEGER NOT NULL, changed INTEGER NOT NULL, UNIQUE(seq, connector));
)sql";

constexpr std::uint32_t kSpoolId = 0x4c4c6d71;   // "LLmq"
constexpr std::size_t kHeader = 100;                   // sqlite.org/fileformat2.html, 1.3
constexpr std::size_t kWriteVersion = 18;              // 2 is WAL, and so the byte after it
constexpr std::size_t kUserVersion = 60;
constexpr std::size_t kApplication = 68;
constexpr std::string_view kMagic("SQLite format 3\0", 16);

std::uint32_t big_endian(const char* p) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(p[i]);
  return value;
}

// Numbers start where a spool made earlier cannot have come to, so that ids are not used again after somebody
// removed the file: 16 messages a second since 2026.
std::int64_t first_sequence(WallTime now) {
  const std::int64_t since_2026 = now.time_since_epoch().count() / 1000 - 1'767'225'600;
  return std::max<std::int64_t>(since_2026, 0) * 16;
}

Result<std::string> build_image(std::int64_t version, WallTime now) {
  LONGLINE_TRY(Sqlite db, Sqlite::open("spool", Sqlite::Mode::memory, Duration(0)));
  LONGLINE_CHECK(db.run(kSpoolSchema));
  LONGLINE_CHECK(db.run(fmt::format("INSERT INTO sqlite_sequence VALUES('messages', {});"
                                    "PRAGMA application_id={}; PRAGMA user_version={};",
                                    first_sequence(now), kSpoolId, version)
                            .c_str()));
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> bytes(sqlite3_serialize(db.handle(), "main", &size, 0),
                                                                      sqlite3_free);
  if (!bytes) return Error(Errc::os, "out of memory", Stage::queue);
  std::string image(static_cast<std::size_t>(size), '\0');
  std::memcpy(image.data(), bytes.get(), image.size());
  image[kWriteVersion] = image[kWriteVersion + 1] = 2;
  return image;
}

}  // namespace

Result<SpoolFile> inspect_spool_file(const std::string& path, std::int64_t version) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return SpoolFile::absent;
  if (!fd) return system_error(errno, path).in_stage(Stage::queue);
  char header[kHeader] = {};
  const ssize_t n = ::pread(fd.get(), header, sizeof header, 0);
  if (n < 0) return system_error(errno, path).in_stage(Stage::queue);
  if (static_cast<std::size_t>(n) < kHeader || std::string_view(header, kMagic.size()) != kMagic) {
    return Error(Errc::io, path + ": the file is damaged, or not a spool", Stage::queue)
        .with_hint("nothing was changed; move it away, and the next message makes a new one");
  }
  if (big_endian(header + kApplication) != kSpoolId) {
    return Error(Errc::config, path + ": a database of another program, not a spool", Stage::queue);
  }
  if (const std::uint32_t found = big_endian(header + kUserVersion); found != version) {
    return Error(Errc::config, fmt::format("{}: a spool of version {}; this longline reads version {}", path, found, version),
                 Stage::queue)
        .with_hint("nothing was changed; use the longline that made it, or move it away");
  }
  return SpoolFile::present;
}

Result<void> create_spool_file(const std::string& path, std::int64_t version, WallTime now) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  LONGLINE_CHECK(ensure_folder(folder.string()));
  LONGLINE_TRY(const std::string image, build_image(version, now));
  auto draft = SpoolDraft::create(path);
  if (!draft && draft.error().code == Errc::disk_full) return Error(Errc::disk_full, path + ": disk full", Stage::queue);
  if (!draft) return std::move(draft).error().in_stage(Stage::queue);
  if (auto written = write_and_sync(draft->fd.get(), image, draft->name); !written) {
    ::unlink(draft->name.c_str());
    if (written.error().code == Errc::disk_full) return Error(Errc::disk_full, path + ": disk full", Stage::queue);
    return std::move(written).error().in_stage(Stage::queue);
  }
  // The log exists from the beginning; publish_file() syncs the folder for both.
  { const UniqueFd log(::open((path + "-wal").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }
  Result<void> published = publish_file(draft->name, path);
  if (!published) {
    ::unlink(draft->name.c_str());
    if (published.error().sys_errno == EEXIST) return {};
    return std::move(published).error().in_stage(Stage::queue);
  }
  return {};
}

Result<void> add_missing_tables(Sqlite& db) { return db.run(kLaterTables); }

}  // namespace longline::sys
