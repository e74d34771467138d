// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

/// The files of the drop folder, where users leave mail who may not write the host's spool:
///
///     longline drop 1
///     sender alice@site7.example        (nothing behind the blank: the null sender)
///     priority 0
///     wish RET=HDRS                     (parameters of MAIL, RFC 3461; none, one or two)
///     recipient bob@example.com         (once or more)
///     wish NOTIFY=SUCCESS               (parameters of its RCPT)
///     content 1234
///     the message, so many bytes, to the end of the file
constexpr std::size_t kMostDropped = 100'000'000;        ///< bytes of a file
constexpr std::size_t kMostDroppedRecipients = 10'000;

std::string format_dropped(const Submission& submission);

/// Who left a file, as its owner tells, and when.
struct DropOrigin {
  std::int64_t user_id = 0;
  std::string user;          ///< its name, or "" where the system knows none
  std::string host;          ///< our mail name
  WallTime at{};
  std::string unique;        ///< for a missing Message-ID
};

/// Reads what anybody may have written. Nothing in it is believed but what its writer may decide: the addresses are parsed again, the message
/// is brought to stored form, and two fields say whose it is: Received, and X-Authentication-Warning where somebody who is not root gave
/// another sender than himself. Errc::malformed; Errc::refused for a mail loop.
Result<Submission> read_dropped(std::string_view file, const DropOrigin& origin);

/// RFC 5321, 6.3: a message with so many Received fields goes round in circles.
constexpr std::size_t kMostHops = 100;

}  // namespace longline::mail
