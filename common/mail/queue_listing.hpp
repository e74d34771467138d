// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "mail/connector_choice.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

/// One line of `mtaq list --json`: {"id","queue","state","arrived","size","sender","recipients":[{"address","state",
/// "reason"}],"connector","link","next_hop","priority","attempts","next_attempt","expires","reason","reason_class",
/// "message_id","subject"}. Connector to next_hop are those of the first recipient that still waits; what does not
/// apply is null. Sender and subject are raw. Without a newline.
std::string json_line(const QueuedMessage& message, ConnectorChoice& choice);
/// Behind what is in the buffer.
void append_json_line(fmt::memory_buffer& out, const QueuedMessage& message, ConnectorChoice& choice);

/// The same for people: a line, and one more with the reason where there is one. Escaped; ends in a newline.
/// `id_width`: how long the ids of this queue are.
std::string listing_header(std::size_t id_width = 7);
std::string listing_lines(const QueuedMessage& message, ConnectorChoice& choice, WallTime now);

/// `mtaq show`: everything about one message but its body.
std::string describe(const QueuedMessage& message, ConnectorChoice& choice, WallTime now);

/// A text of several lines for a terminal: each line escaped.
std::string printable_text(std::string_view text);

/// "3m", "2h", "5d": one unit, rounded down; "0s" for a time ahead.
std::string format_age(Duration age);

}  // namespace longline::mail
