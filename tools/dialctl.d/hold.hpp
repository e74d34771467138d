// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dialctl.d/verbs.hpp"
#include "sys/json_channel.hpp"
#include "sys/signals.hpp"

namespace longline::tools::dialctl {

/// A link that is up, and our connection to its supervisor, which holds it up.
struct Hold {
  sys::JsonChannel channel;
  std::string line;            ///< path of the line socket
  std::vector<JsonObject> unread;   ///< messages that came together with "up"
};

/// Joins the link, or starts its supervisor, and waits until it is up. A link that is closing is waited for and called
/// again. `kind`: "run", "up", or "terminal", which never joins: Errc::busy when there is a supervisor. Ends with the call's own error,
/// Errc::deadline after --wait, interrupted on a signal.
Result<Hold> take_hold(const World& world, const config::Link& link, const std::string& kind, const std::string& command,
                       sys::Signals& signals);

/// What a supervisor is started for: a call with all its attempts; one round through the numbers, by demand, which waits in between by
/// itself (one that fails while more follow is no failed call yet); a line for a terminal.
enum class Calls { all, round, last_round, raw };
/// A supervisor of its own for the link; our end of the connection to it. `join`, its first request, is written before it starts: by that
/// it judges whether it may call.
Result<sys::JsonChannel> start_supervisor(const World& world, const config::Link& link, Calls calls, const JsonObject& join);

/// One line on stderr about what goes on, on a terminal or with --verbose.
void say(const World& world, const std::string& text);
/// A line of the dialogue, with --verbose.
void show_trace(const JsonObject& message);

}  // namespace longline::tools::dialctl
