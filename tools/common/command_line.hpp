// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "common/tool.hpp"

namespace longline::tools {

/// The options that all tools share, on the app and on every subcommand behind it. Call before adding subcommands.
void add_common_options(CLI::App& app, CommonOptions& common);

/// Parses; nullopt: go on. A status: --help or --version was answered (0), or the command line is wrong (64, said on
/// stderr with the option that is meant). CLI11's own statuses (100…127) never leave.
/// `usage_status`: another status than 64, for chatrun.
std::optional<int> parse_command_line(CLI::App& app, const CommonOptions& common, int argc, char** argv,
                                      int usage_status = static_cast<int>(ExitStatus::usage));

/// Checks for options, in words that a person reads: a whole number, also of more digits than fit; one of some words.
CLI::Validator whole_number(std::int64_t least, std::int64_t most = std::numeric_limits<std::int64_t>::max());
CLI::Validator one_of(const std::vector<std::string>& words);

/// What CLI11 cannot know: says what is wrong with the command line; the status.
int usage_error(const CLI::App& app, const CommonOptions& common, const std::string& what, int usage_status = static_cast<int>(ExitStatus::usage));

}  // namespace longline::tools
