// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::sys {

/// What a chat script's @FILE sends: a regular file, or a pipe into which somebody writes within `limit`, up to its end; at most 64 KiB,
/// without the last newline. Errc::not_found, permission, deadline, malformed when it is longer.
Result<std::string> read_reply_file(const std::string& path, Duration limit);

}  // namespace longline::sys
