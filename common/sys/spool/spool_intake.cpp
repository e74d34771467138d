// SPDX-License-Identifier: MIT
// What comes into the spool from outside and must not come in twice: the drop folder's files, and messages that a peer sends again.
#include "sys/spool/spool.hpp"

namespace longline::sys {
namespace {

constexpr std::int64_t kReceivedKept = 50'000;   // rows, about 4 MB
constexpr Duration kReceivedFor{7 * 86'400'000LL};

}  // namespace

Result<std::vector<std::string>> Spool::take_dropped(const std::vector<DroppedFile>& files, const std::function<bool(const std::string&)>& is_there) {
  std::vector<std::string> ids;
  LONGLINE_CHECK(add_only([&]() -> Result<void> {
    ids.clear();
    LONGLINE_TRY(SqliteStatement* taken, statement("INSERT OR IGNORE INTO dropped VALUES(?)"));
    for (const DroppedFile& file : files) {
      ids.emplace_back();
      // Who took it before us has also taken it away, or left its name here.
      if (!is_there(file.name)) continue;
      LONGLINE_CHECK(taken->bind(1, file.name).run());
      if (db_->changes() == 0) continue;
      LONGLINE_TRY(ids.back(), insert(file.submission, file.at));
    }
    return {};
  }));
  return ids;
}

Result<std::vector<std::string>> Spool::dropped_names() {
  std::vector<std::string> names;
  LONGLINE_TRY(SqliteStatement all, db_->prepare("SELECT name FROM dropped"));
  while (true) {
    LONGLINE_TRY(const bool row, all.step());
    if (!row) return names;
    names.push_back(all.text(0));
  }
}

Result<void> Spool::forget_dropped(const std::vector<std::string>& names, const std::function<bool(const std::string&)>& is_gone) {
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement* forget, statement("DELETE FROM dropped WHERE name=?"));
    for (const std::string& name : names) {
      if (is_gone(name)) LONGLINE_CHECK(forget->bind(1, name).run());
    }
    return {};
  });
}

Result<bool> Spool::was_received(const std::string& key, WallTime now) {
  LONGLINE_TRY(SqliteStatement* find, statement("SELECT at FROM received WHERE key=?"));
  LONGLINE_TRY(const bool row, find->bind(1, key).step());
  // A time ahead of now: the clock was wrong then, or is now.
  const bool known = row && now.time_since_epoch().count() - find->integer(0) < kReceivedFor.count();
  find->reset();
  return known;
}

Result<std::vector<std::string>> Spool::write_received(const ReceivedBatch& batch, WallTime now) {
  std::vector<std::string> ids;
  for (const mail::Submission& submission : batch.submissions) {
    LONGLINE_TRY(std::string id, insert(submission, now));
    ids.push_back(std::move(id));
  }
  LONGLINE_TRY(SqliteStatement* forget, statement("DELETE FROM received WHERE key=?"));
  for (const std::string& key : batch.forgotten) LONGLINE_CHECK(forget->bind(1, key).run());
  const std::int64_t ms = now.time_since_epoch().count();
  LONGLINE_TRY(SqliteStatement* note, statement("INSERT OR REPLACE INTO received(key, at) VALUES(?,?)"));
  for (const std::string& key : batch.keys) LONGLINE_CHECK(note->bind(1, key).bind(2, ms).run());
  if (!batch.keys.empty()) {
    LONGLINE_TRY(SqliteStatement* bound, statement("DELETE FROM received WHERE n<=? OR (n<=? AND at<?)"));
    const std::int64_t last = db_->last_insert_id();
    // By age only among the oldest, so that it costs no walk through all of them.
    LONGLINE_TRY(const std::int64_t first, db_->integer("SELECT min(n) FROM received"));
    LONGLINE_CHECK(bound->bind(1, last - kReceivedKept).bind(2, first + 16).bind(3, ms - kReceivedFor.count()).run());
  }
  if (batch.traffic) LONGLINE_CHECK(add_traffic(*batch.traffic, now));
  return ids;
}

Result<std::optional<std::vector<std::string>>> Spool::take_received(const ReceivedBatch& batch, WallTime now) {
  std::optional<std::vector<std::string>> ids;
  LONGLINE_CHECK(add_only([&]() -> Result<void> {
    ids.reset();
    for (const std::string& key : batch.keys) {
      LONGLINE_TRY(const bool known, was_received(key, now));
      if (known) return {};
    }
    LONGLINE_TRY(ids, write_received(batch, now));
    return {};
  }));
  return ids;
}

Result<std::vector<std::string>> Spool::note_delivered(const ReceivedBatch& batch, WallTime now) {
  std::vector<std::string> ids;
  LONGLINE_CHECK(change([&]() -> Result<void> {
    LONGLINE_TRY(ids, write_received(batch, now));
    return {};
  }));
  return ids;
}

}  // namespace longline::sys
