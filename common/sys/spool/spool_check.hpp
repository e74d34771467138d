// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// Something about the spool, its folder or the drop folder that an operator should know.
struct SpoolFinding {
  Severity severity = Severity::warning;
  std::string code;      ///< "damaged", "no-body", "disk-ahead", …
  std::string message;   ///< escaped
  std::string advice;
};

/// Looks at everything and changes nothing: integrity of the file, messages without a part, clocks that were wrong, room on the disk, files that
/// dead processes left, rights. Reads every page of the spool. A spool that is not there has no findings. Errors: the spool
/// cannot be read at all by this user (permission), or is busy.
Result<std::vector<SpoolFinding>> check_spool(const StatePaths& paths, WallTime now);

}  // namespace longline::sys
