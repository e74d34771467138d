// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mail/connector_choice.hpp"
#include "mail/dsn.hpp"
#include "mail/queue.hpp"
#include "sys/spool.hpp"

namespace longline::sys {

/// What a message's sender is told of these recipients (RFC 3461), to be queued. nullopt for the null sender, and when nobody is left.
Result<std::optional<mail::Submission>> sender_notice(Spool& spool, mail::ConnectorChoice& choice, const std::string& host,
                                                      const mail::QueuedMessage& message, mail::DsnAction action,
                                                      std::vector<mail::DsnRecipient> recipients, const mail::DsnWishes& wishes);

}  // namespace longline::sys
