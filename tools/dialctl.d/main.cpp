// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>

#include "common/tool.hpp"
#include "dialctl.d/options.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/ppp/host_changes.hpp"

namespace longline::tools::dialctl {
namespace {

Result<ExitStatus> dispatch(const Options& options) {
  if (options.verb == Verb::become_pppd) return become_pppd();
  // What asks no configuration must work with a broken one.
  if (options.verb == Verb::import) return import_phonebook(options);
  if (options.verb == Verb::explain) return explain(options);
  LONGLINE_TRY(sys::StatePaths paths, sys::state_paths(options.common.config, options.common.root));
  if (options.verb == Verb::restore && !options.behind.empty()) {
    ::setsid();   // not one of pppd's processes
    sys::wait_for_supervisor_to_go(paths, options.behind);
  }
  // Whoever comes next after a kill -9 puts back what was left.
  if (options.verb != Verb::supervise) restore({options, paths, {}});
  if (options.verb == Verb::restore) return ExitStatus::ok;
  if (options.verb == Verb::events) return events(options, paths);
  if (options.verb == Verb::check) return check(options, paths);
  if (options.verb == Verb::unlock) return unlock(options, paths);
  Result<sys::LoadedConfig> read = sys::load_config(paths);
  // A slip in the configuration must not keep anybody from hanging up: the link's name is enough for that.
  if (!read && options.verb == Verb::down) return down({options, std::move(paths), {}});
  LONGLINE_TRY(sys::LoadedConfig loaded, std::move(read));
  if (!loaded.warnings.empty() && !options.common.quiet && !options.common.json) std::fputs(loaded.warnings.c_str(), stderr);
  const World world{options, std::move(paths), std::move(loaded.config)};
  switch (options.verb) {
    case Verb::list: return list(world);
    case Verb::show: return show(world);
    case Verb::plan: return plan(world);
    case Verb::up: return up(world);
    case Verb::down: return down(world);
    case Verb::run: return run(world);
    case Verb::status: return status(world);
    case Verb::history: return history(world);
    case Verb::ports: return ports(world);
    case Verb::supervise: return supervise(world);
    case Verb::terminal: return terminal(world);
    case Verb::demand: return demand(world);
    case Verb::answer: return answer(world);
    case Verb::connect: return connect(world);
    case Verb::restore:
    case Verb::become_pppd:
    case Verb::import:
    case Verb::check:
    case Verb::explain:
    case Verb::events:
    case Verb::unlock: break;   // done above
  }
  return ExitStatus::software;
}

}  // namespace
}  // namespace longline::tools::dialctl

int main(int argc, char** argv) {
  using namespace longline::tools;
  dialctl::Options options;
  if (const std::optional<int> status = dialctl::parse(argc, argv, options)) return *status;
  return run_tool("dialctl", options.common, [&] { return dialctl::dispatch(options); });
}
