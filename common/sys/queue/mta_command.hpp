// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::sys {

/// A command of a mail system: postqueue, postsuper, exim. No shell.
struct MtaCommand {
  std::vector<std::string> argv;       ///< argv[0] as find_mta_program() gave it
  std::string input{};                 ///< its stdin
  Duration limit{120'000};
};

struct MtaCommandEnd {
  int status = 0;
  std::string errors;                  ///< the first 64 KiB of its stderr
};

/// Runs it to its end and hands its stdout on in pieces; the sink returns false to end the command early (status 0 then). Its
/// environment has LC_ALL=C. Errc::deadline when it takes longer, os or not_found when it cannot be run.
Result<MtaCommandEnd> run_mta_command(const MtaCommand& command, const std::function<bool(std::string_view)>& sink);
/// The same, for a command that prints little: its stdout, at most 4 MiB of it. What it complained about with a status other than 0
/// becomes an Error: permission where it says so, else unavailable (next_hop_unreachable) for EX_UNAVAILABLE, else io.
Result<std::string> ask_mta(const MtaCommand& command);
/// The Error of a command that ended with a status other than 0.
Error mta_complaint(const MtaCommand& command, const MtaCommandEnd& end);

/// Its path: from PATH, or from the folders for daemons, which cron's and users' PATH lacks. not_found: not installed.
Result<std::string> find_mta_program(const std::vector<std::string>& names);

}  // namespace longline::sys
