// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// A spool that is being made, beside the name that it will have: PATH.new.PID. It is locked (flock) as long as its maker lives, and whoever takes one
/// away holds that lock: a process number alone, which is used again, says nothing.
struct SpoolDraft {
  std::string name;
  UniqueFd fd;
  static Result<SpoolDraft> create(const std::string& path);
};

/// Those whose makers are gone.
std::vector<std::string> abandoned_drafts(const std::string& path);
void remove_abandoned_drafts(const std::string& path);

}  // namespace longline::sys
