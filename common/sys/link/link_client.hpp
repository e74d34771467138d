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

/// What a session over a link finds and does, for the link's supervisor. It knows from the constructor on that there will be a report, and
/// waits for that when the line ends first, as a peer's does behind its reply to QUIT. Without a link or a supervisor nothing happens.
class TransferReport {
 public:
  TransferReport(const StatePaths& paths, const std::string& link);
  /// Messages that were due, and those of them that moved. Once.
  void finish(std::int64_t due, std::int64_t moved, const std::string& connector);

 private:
  std::optional<JsonChannel> channel_;
};

}  // namespace longline::sys
