// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "config/config.hpp"
#include "sys/byte_stream.hpp"
#include "sys/json_channel.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// A connection to the supervisor of a link; its protocol is in supervisor.hpp. nullopt: the link is down.
std::optional<JsonChannel> connect_supervisor(const StatePaths& paths, const std::string& link);

/// The line of a stream link that is up, for one client at a time. Errc::link_down, stage connect. The kernel's buffer
/// before the line is kept small: what waits in it has not been sent.
Result<std::unique_ptr<ByteStream>> connect_line(const StatePaths& paths, const std::string& link);

/// One object of `dialctl status --json`: the supervisor's answer, or what is known of a link that is down.
JsonObject link_status(const StatePaths& paths, const config::Link& link);

/// Tells the link's supervisor what a flush found and did. Without a supervisor nothing happens.
void report_to_supervisor(const StatePaths& paths, const std::string& link, std::int64_t due, std::int64_t moved,
                          const std::string& connector);

}  // namespace longline::sys
