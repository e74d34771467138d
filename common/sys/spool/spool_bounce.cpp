// SPDX-License-Identifier: MIT
// The operator's bounce: a message ends, its sender is told, in one transaction.
#include "sys/spool/spool.hpp"

namespace longline::sys {

Result<std::optional<std::string>> Spool::bounce(const std::string& id, const std::optional<mail::Submission>& notification, WallTime now) {
  const auto sequence = mail::parse_id(id);
  if (!sequence) return Error(Errc::not_found, "message " + id + ": not in the queue", Stage::queue);
  std::optional<std::string> made;
  LONGLINE_CHECK(change([&]() -> Result<void> {
    LONGLINE_CHECK(check_free(*sequence, id));
    LONGLINE_CHECK(erase(*sequence));   // first, for its room
    if (!notification) return {};
    LONGLINE_TRY(made, insert(*notification, now));
    return {};
  }));
  return made;
}

}  // namespace longline::sys
