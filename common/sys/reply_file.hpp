// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::sys {

/// What a chat script's @FILE sends: a regular file, or a pipe into which somebody writes before `ends`, up to its end; at most 64 KiB,
/// without the last newline. `stop`: a descriptor that ends the wait when it can be read; -1: none. Errc::not_found, permission, deadline,
/// interrupted, malformed when it is longer.
Result<std::string> read_reply_file(const std::string& path, TimePoint ends, int stop = -1);

}  // namespace longline::sys
