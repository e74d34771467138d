// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "config/config.hpp"

namespace longline::sys {

/// The first line of a file that nobody but its owner (and root) can read. Errc::config: missing, readable or writable by others,
/// larger than 4 KiB. The error never holds the content.
Result<Secret> read_secret_file(const std::string& path);
/// The same from a descriptor that the caller opened. Errc::deadline when the line does not come within `limit`.
Result<Secret> read_secret_fd(int fd, Duration limit = Duration(30'000));
/// From the configuration: file or command, or an empty Secret when neither is set. Errors carry the key's place.
Result<Secret> read_secret(const config::SecretSource& source);
/// What read_secret_file would refuse, without reading: for checks at load. An empty Result when all is well.
Result<void> check_secret_file(const std::string& path);

}  // namespace longline::sys
