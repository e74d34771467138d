// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::sys {

class Sqlite;

/// What stands in the first 100 bytes of a spool's file, read without SQLite, so that a file that is not ours is not
/// even locked.
enum class SpoolFile { absent, present };

/// Errc::config: another version, or another program's database. Errc::io: no SQLite file.
Result<SpoolFile> inspect_spool_file(const std::string& path, std::int64_t version);

/// A new spool, complete, under this name. No error when another process was faster.
Result<void> create_spool_file(const std::string& path, std::int64_t version, WallTime now);

/// Tables that came after version 1 and that an older longline does not miss: made where they are not there. Errc::disk_full: it can wait.
Result<void> add_missing_tables(Sqlite& db);

}  // namespace longline::sys
