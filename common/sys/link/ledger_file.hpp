// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sys/sqlite.hpp"

namespace longline::sys {

/// calls.db as a file: made when it is missing, brought to this version's layout, opened so that nobody waits for others' commits
/// longer than `patience`, a reader not longer than a moment. Errc::not_found (reading, nothing there), disk_full, io (damaged),
/// config (a later version's, or not ours), busy, permission.
Result<Sqlite> open_ledger_for_writing(const std::string& path, Duration patience);
/// Also where nothing can be written: a full disk, a read-only file system.
Result<Sqlite> open_ledger_for_reading(const std::string& path);
/// Moves a ledger that is damaged out of the way, to PATH.damaged, so that the next call can begin a new one.
void set_ledger_aside(const std::string& path);

}  // namespace longline::sys
