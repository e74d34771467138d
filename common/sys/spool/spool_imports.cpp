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

Result<void> Spool::note_import(const std::string& digest, WallTime now) {
  constexpr std::int64_t kKept = 100'000;
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement* insert, statement("INSERT OR IGNORE INTO imports(digest, at) VALUES(?,?)"));
    LONGLINE_CHECK(insert->bind(1, digest).bind(2, now.time_since_epoch().count()).run());
    LONGLINE_TRY(SqliteStatement* bound, statement("DELETE FROM imports WHERE n<=?"));
    return bound->bind(1, db_->last_insert_id() - kKept).run();
  });
}

}  // namespace longline::sys
