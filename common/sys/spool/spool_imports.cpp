// SPDX-License-Identifier: MIT
// What came in by `mtaq import`: a stick that is read twice queues nothing twice, even when the mail is gone meanwhile.
#include "sys/spool/spool.hpp"

namespace longline::sys {

Result<bool> Spool::was_imported(const std::string& digest) {
  LONGLINE_TRY(SqliteStatement* find, statement("SELECT 1 FROM imports WHERE digest=?"));
  LONGLINE_TRY(const bool row, find->bind(1, digest).step());
  find->reset();
  return row;
}

Result<std::string> Spool::import(const mail::Submission& submission, const std::string& digest, WallTime now) {
  constexpr std::int64_t kKept = 100'000;
  std::string id;
  LONGLINE_CHECK(add_only([&]() -> Result<void> {
    id.clear();
    // Another import of the same batch may have come first.
    LONGLINE_TRY(const bool known, was_imported(digest));
    if (known) return {};
    LONGLINE_TRY(id, insert(submission, now));
    LONGLINE_TRY(SqliteStatement* note, statement("INSERT INTO imports(digest, at) VALUES(?,?)"));
    LONGLINE_CHECK(note->bind(1, digest).bind(2, now.time_since_epoch().count()).run());
    LONGLINE_TRY(SqliteStatement* bound, statement("DELETE FROM imports WHERE n<=?"));
    return bound->bind(1, db_->last_insert_id() - kKept).run();
  }));
  return id;
}

}  // namespace longline::sys
