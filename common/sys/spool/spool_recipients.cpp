// SPDX-License-Identifier: MIT
// Recipients who leave a message that others wait for.
#include "sys/spool/spool.hpp"

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
    LONGLINE_TRY(SqliteStatement rest, db_->prepare("UPDATE messages SET held=? WHERE seq=?"));
    return rest.bind(1, std::int64_t{held}).bind(2, *sequence).run();
  });
}

}  // namespace longline::sys
