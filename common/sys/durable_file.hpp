// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::sys {

/// Writes all of it and waits until it is on the disk; `path` is for the error.
Result<void> write_and_sync(int fd, std::string_view bytes, const std::string& path);

/// Writes a new file, mode 0600, and waits until its bytes are on the disk. Nothing is left after an error.
/// Errc::cannot_create, disk_full, io.
Result<void> write_new_file(const std::string& path, std::string_view bytes);

/// Waits until the entries of a folder are on the disk.
Result<void> sync_folder(const std::string& path);

/// Gives a written file its final name, which must be free (Errc::cannot_create with EEXIST if it is not), takes the
/// first name away and syncs the folder of the final one.
Result<void> publish_file(const std::string& from, const std::string& to);

/// Gives a file new content at once or not at all; it keeps its mode, and a symbolic link stays one. A file that is not
/// there is created, mode 0600. Errc::cannot_create,
/// disk_full, io.
Result<void> replace_file(const std::string& path, std::string_view bytes);

}  // namespace longline::sys
