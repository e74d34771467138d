// SPDX-License-Identifier: MIT
#pragma once

#include "config/config.hpp"
#include "dialctl.d/options.hpp"
#include "script/login_script.hpp"
#include "sys/state_paths.hpp"

namespace longline::tools::dialctl {

/// How long a supervisor may take to hang up.
inline constexpr Duration kHangUp{20'000};

/// What every verb works on.
struct World {
  const Options& options;
  sys::StatePaths paths;
  config::Config config;
};

Result<ExitStatus> list(const World& world);
Result<ExitStatus> show(const World& world);
Result<ExitStatus> plan(const World& world);
Result<ExitStatus> status(const World& world);
Result<ExitStatus> up(const World& world);
Result<ExitStatus> down(const World& world);
Result<ExitStatus> run(const World& world);
Result<ExitStatus> history(const World& world);
Result<ExitStatus> ports(const World& world);
Result<ExitStatus> supervise(const World& world);
/// Puts back what calls that were killed left changed on this host: the default route, name servers.
void restore(const World& world);
Result<ExitStatus> become_pppd();
Result<ExitStatus> demand(const World& world);
Result<ExitStatus> answer(const World& world);
Result<ExitStatus> connect(const World& world);
Result<ExitStatus> terminal(const World& world);
// Those that need no configuration.
Result<ExitStatus> import_phonebook(const Options& options);
Result<ExitStatus> explain(const Options& options);
Result<ExitStatus> check(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> events(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> unlock(const Options& options, const sys::StatePaths& paths);

/// --config and --root as they were given, absolute: for the processes that we start.
std::vector<std::string> tool_options(const World& world);
/// What --since says, in local time. Errc::usage.
Result<WallTime> since_when(const std::string& text);
/// The link that was named. Errc::not_found with the nearest name.
Result<const config::Link*> named_link(const World& world);
/// The link's login script, parsed; null without one. Errc::config when it cannot be read, script_error with every diagnostic
/// when it is wrong.
Result<std::optional<script::LoginProgram>> login_script(const config::Link& link);

}  // namespace longline::tools::dialctl
