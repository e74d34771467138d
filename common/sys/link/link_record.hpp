// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// What is remembered of a link while it is down: how its last call ended. RUN/LINK.last.
struct LinkRecord {
  WallTime ended{};
  std::optional<Error> error;
};

/// A record that cannot be written is given up: it must not hold up the end of a call.
void write_link_record(const StatePaths& paths, const std::string& link, const LinkRecord& record);
/// nullopt when there is none, or it cannot be read.
std::optional<LinkRecord> read_link_record(const StatePaths& paths, const std::string& link);

}  // namespace longline::sys
