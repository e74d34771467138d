// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::sys {

/// Replaces a file that people edit, whole: written beside it, synced, renamed, its folder synced. Keeps its mode and
/// owner; a new one is 0644. A symbolic link is followed. Without `durable` nothing is synced: a power failure may leave
/// an empty file. Errc::cannot_create, disk_full, io, permission.
Result<void> rewrite_text_file(const std::string& path, std::string_view text, bool durable = true);

}  // namespace longline::sys
