// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mail/connector_choice.hpp"
#include "mail/dsn.hpp"
#include "mail/queue.hpp"
#include "sys/spool/spool.hpp"

namespace longline::sys {

/// What a message's sender is told of some recipients (RFC 3461).
struct SenderNotice {
  mail::DsnAction action = mail::DsnAction::failed;
  std::vector<mail::DsnRecipient> recipients;
  mail::DsnWishes wishes;
  std::optional<WallTime> retry_until{};   ///< delayed: when it is given up
};

/// The notification, to be queued. nullopt for the null sender, and without recipients.
Result<std::optional<mail::Submission>> sender_notice(Spool& spool, mail::ConnectorChoice& choice, const std::string& host,
                                                      const mail::QueuedMessage& message, SenderNotice notice);

}  // namespace longline::sys
