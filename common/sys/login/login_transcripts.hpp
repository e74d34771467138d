// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// The transcripts of failed logins, for `chatrun replay`: the last ten of each link, LINK-20261125T031500.123Z.transcript, readable by
/// their owner alone.

/// Keeps one, and removes what is too old; its path. `why`: how the login ended; becomes a comment. Errc::cannot_create, disk_full, io.
Result<std::string> keep_login_transcript(const StatePaths& paths, const std::string& link, std::string_view dialogue, std::string_view why,
                                          WallTime now);

}  // namespace longline::sys
