// SPDX-License-Identifier: MIT
// Recipients who leave a message that others wait for.
#include "sys/spool/spool.hpp"
#include "sys/spool/spool_file.hpp"

namespace longline::sys {

Result<void> Spool::remove_recipients(const std::string& id, const std::vector<std::string>& recipients, bool held) {
  const auto sequence = mail::parse_id(id);
  if (!sequence) return Error(Errc::not_found, "message " + id + ": not in the queue", Stage::queue);
  return change([&]() -> Result<void> {
    LONGLINE_CHECK(check_free(*sequence, id));
    LONGLINE_TRY(SqliteStatement gone, db_->prepare("DELETE FROM recipients WHERE seq=? AND address=?"));
    for (const std::string& address : recipients) {
      LONGLINE_CHECK(gone.bind(1, *sequence).bind(2, address).run());
      LONGLINE_CHECK(erase_outgoing_to(*sequence, address));
    }
    LONGLINE_TRY(const bool waiting, has_waiting(*sequence));
    if (!waiting) return erase(*sequence);
    LONGLINE_CHECK(note_thinned(*sequence));
    LONGLINE_TRY(SqliteStatement rest, db_->prepare("UPDATE messages SET held=? WHERE seq=?"));
    return rest.bind(1, std::int64_t{held}).bind(2, *sequence).run();
  });
}

/// A flush that runs may have seen who was a recipient then. What takes its lease from now on looks again.
Result<void> Spool::note_thinned(std::int64_t sequence) {
  LONGLINE_TRY(const std::int64_t running, db_->integer("SELECT count(*) FROM leases"));
  if (running == 0) return {};
  LONGLINE_TRY(const bool has_tables, has_table("thinned"));
  if (!has_tables) LONGLINE_CHECK(add_missing_tables(*db_));
  LONGLINE_TRY(SqliteStatement* old, statement("DELETE FROM thinned WHERE lease<(SELECT min(id) FROM leases)"));
  LONGLINE_CHECK(old->run());
  LONGLINE_TRY(SqliteStatement* note,
               statement("INSERT OR REPLACE INTO thinned(seq, lease) SELECT ?, seq FROM sqlite_sequence WHERE name='leases'"));
  return note->bind(1, sequence).run();
}

}  // namespace longline::sys
