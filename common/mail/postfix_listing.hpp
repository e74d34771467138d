// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "mail/queue.hpp"
#include "mail/queue_backend.hpp"

namespace longline::mail {

/// One line of `postqueue -j` (postqueue(1), Postfix 3.1 and later; members that it does not know are skipped). Reasons come out
/// escaped. Errc::malformed when it is no such object, or has no usable id.
Result<QueuedMessage> parse_postfix_listing(std::string_view line);

/// Letters and digits, at most 40: safe as an argument and as a file's name.
bool is_postfix_id(std::string_view id);
/// The characters that name the folders of a hashed queue (dir_forest): a short id's own, of a long one (with its 'z') the
/// microseconds as five hexadecimal digits.
std::string postfix_hash_name(std::string_view id);

/// One line of Postfix's log, if it tells the fate of a recipient: "ID: to=<ADDRESS>, …, dsn=5.1.1, status=bounced (…)", or
/// of a whole message ("ID: from=<…>, status=expired, returned to sender"; the address is "" then); postsuper's "ID: removed" and
/// "ID: requeued"; pickup's "NEW: uid=…, from=<…> orig_id=ID".
std::optional<Fate> parse_postfix_log(std::string_view line);

}  // namespace longline::mail
