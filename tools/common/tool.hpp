// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::tools {

/// --config, --root, --json, --quiet, --verbose: everywhere.
struct CommonOptions {
  std::string config;   ///< empty: LONGLINE_CONFIG, then the default
  std::string root;     ///< empty: LONGLINE_ROOT, then the host's folders
  bool json = false;
  bool quiet = false;
  int verbose = 0;
};

/// The body of every main(): runs `body`, prints its error, checks that stdout took everything, catches what CLI11 and
/// the allocator throw. Returns the exit status. Ignores SIGPIPE (a write then fails with EPIPE, which ends the tool
/// quietly with status 74) and sets the C locale's numeric rules. `common` is read after `body` returned.
int run_tool(std::string_view tool, const CommonOptions& common, const std::function<Result<ExitStatus>()>& body);

/// The last word on stdout: what did not get out makes `status` 74 where it was 0 or 1, and is said; a reader who has left had all that it wanted.
int finish_stdout(std::string_view tool, const CommonOptions& common, int status);

/// "tool: noun: reason" and, indented, the hint; with --json one error object. On stderr. `status`: the exit status to
/// name, where it is not the one of the error.
void print_error(std::string_view tool, const CommonOptions& common, const Error& error, std::optional<int> status = std::nullopt);

/// On stdout; whether it all went out run_tool() says.
void print(std::string_view text);
bool stdout_is_terminal();
bool stderr_is_terminal();
/// ANSI colours on stderr: only on a terminal, and not with NO_COLOR.
bool colour_on_stderr();

}  // namespace longline::tools
