// SPDX-License-Identifier: MIT
#include "routeadd.d/verbs.hpp"
#include "sys/ppp/host_changes.hpp"

namespace longline::routeadd {

Result<ExitStatus> run(const Options& options) {
  LONGLINE_TRY(const sys::StatePaths paths, sys::state_paths(options.common.config, options.common.root));
  restore_if_due(options, paths);
  sys::put_left_over_back(paths);
  switch (options.verb) {
    case Verb::list: return list(options, paths);
    case Verb::add: return add(options, paths);
    case Verb::del: return del(options, paths);
    case Verb::plan: return plan(options, paths);
    case Verb::apply: return apply(options, paths);
    case Verb::up: return up(options, paths);
    case Verb::down: return down(options, paths);
    case Verb::watch: return watch(options, paths);
    case Verb::export_: return export_routes(options, paths);
    case Verb::check: return check(options, paths);
    case Verb::get: return get(options, paths);
    case Verb::confirm: return confirm(options, paths);
    case Verb::import: return import_routes(options);
  }
  return Error(Errc::software, "a verb without code");
}

}  // namespace longline::routeadd
