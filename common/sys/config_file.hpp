// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

struct LoadedConfig {
  config::Config config;
  std::string warnings;   ///< rendered, for stderr; "" when there are none
};

/// The configuration with everything that is wrong in it, for `dialctl check`. Errors: files that cannot be read.
Result<config::ParsedConfig> read_config(const StatePaths& paths);

/// Reads longline.toml and longline.d/*.toml (in order of names). A default file that is missing is an empty
/// configuration, a named one Errc::not_found. Errc::config when anything in them is wrong: the message is every diagnostic, rendered with
/// file:line:column and a caret. Secret files are checked here too: they must exist and be readable by their owner alone.
Result<LoadedConfig> load_config(const StatePaths& paths);

/// A whole regular file or pipe, at most `most` bytes. "-" is stdin. Errc::not_found, malformed when larger.
Result<std::string> read_file(const std::string& path, std::size_t most);

}  // namespace longline::sys
