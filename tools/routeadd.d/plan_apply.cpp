// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "routeadd.d/verbs.hpp"
#include "sys/network/route_confirmation.hpp"
#include "sys/network/route_table.hpp"

namespace longline::routeadd {
namespace {

std::string summary(const std::vector<route::Change>& changes, const route::Resolved& resolved) {
  const auto count = [&](route::ChangeKind kind) {
    return std::count_if(changes.begin(), changes.end(), [&](const route::Change& c) { return c.kind == kind; });
  };
  const auto waiting = std::count_if(resolved.readiness.begin(), resolved.readiness.end(),
                                     [](route::Readiness r) { return r != route::Readiness::ready; });
  std::string out = changes.empty() ? "nothing to do"
                                    : fmt::format("{} added, {} changed, {} removed", count(route::ChangeKind::add),
                                                  count(route::ChangeKind::replace), count(route::ChangeKind::remove));
  if (waiting > 0) out += fmt::format("; {} waiting for {}", waiting, waiting == 1 ? "its interface" : "their interfaces");
  return out;
}

/// What apply and plan both start from.
struct Draft {
  route::KernelState kernel;
  route::Resolved resolved;
  std::vector<route::Change> changes;
};

Result<Draft> draft(const route::ParsedRoutes& parsed, const sys::StatePaths& paths) {
  Draft out;
  LONGLINE_TRY(out.kernel, sys::read_kernel_state());
  out.resolved = route::resolve(parsed.routes, out.kernel, link_states(parsed.routes, paths));
  out.changes = route::plan(out.resolved, out.kernel);
  LONGLINE_CHECK(let_unreachable_wait(out.changes, out.resolved, parsed, out.kernel, &paths));
  return out;
}

/// Writes down the way back, before anything is changed.
Result<std::optional<route::Confirmation>> begin_confirmation(const std::vector<route::Change>& changes, const std::vector<route::Wanted>& wanted,
                                                              const route::KernelState& kernel, const Options& options,
                                                              const sys::StatePaths& paths) {
  std::vector<route::Wanted> before;
  if (routes_in_force(paths)) {
    LONGLINE_TRY(route::ParsedRoutes parsed, read_routes_in_force(paths));
    before = std::move(parsed.routes);
  }
  if (changes.empty() && text_of(before) == text_of(wanted)) return std::optional<route::Confirmation>();
  const route::Resolved resolved = route::resolve(before, kernel, link_states(before, paths));
  LONGLINE_TRY(const std::string table, route::table_before(before, resolved, kernel));
  LONGLINE_TRY(route::Confirmation confirmation, sys::RouteConfirmation(paths.run_dir).begin(whole_file_in_force(table), *options.confirm));
  return std::optional<route::Confirmation>(std::move(confirmation));
}

}  // namespace

Result<ExitStatus> plan(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes(choose_source(options.file, paths)));
  LONGLINE_TRY(const Draft drafted, draft(parsed, paths));
  const auto& [kernel, resolved, changes] = drafted;
  print_notes(resolved, parsed, options);
  if (!options.common.quiet || options.common.json) print_changes(changes, kernel.interfaces, options.common.json);
  const Result<void> objection = check_changes(changes, resolved, parsed, kernel, false);
  if (!objection && !options.common.quiet && !options.common.json) {
    std::fflush(stdout);
    std::fprintf(stderr, "routeadd: warning: apply will refuse this: %s\n", objection.error().message().c_str());
  }
  return changes.empty() ? ExitStatus::ok : ExitStatus::no;
}

Result<ExitStatus> apply(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes(choose_source(options.file, paths)));
  std::optional<sys::Signals> signals;
  std::optional<route::Confirmation> confirmation;
  {
    LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
    LONGLINE_CHECK(restore_if_due_locked(options, paths));
    LONGLINE_CHECK(refuse_while_pending(paths));
    LONGLINE_TRY(const Draft drafted, draft(parsed, paths));
    const auto& [kernel, resolved, changes] = drafted;
    LONGLINE_CHECK(check_changes(changes, resolved, parsed, kernel, options.force));
    if (options.confirm) {
      // From here on a line that is cut, or a key, must not leave things half done.
      LONGLINE_TRY(signals, sys::Signals::open({SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP}));
      LONGLINE_TRY(confirmation, begin_confirmation(changes, parsed.routes, kernel, options, paths));
    }
    if (Result<void> done = commit_changes(changes, parsed, kernel.interfaces); !done) {
      if (confirmation) sys::RouteConfirmation(paths.run_dir).forget();
      return std::move(done).error();
    }
    log_changes(changes, kernel.interfaces, paths);
    // Included files may be elsewhere, or gone, when the copy is read.
    if (parsed.sources.size() == 1) save_routes_in_force(parsed.sources.front().text(), options, paths);
    else save_routes_in_force(text_of(parsed.routes), options, paths);
    print_notes(resolved, parsed, options);
    if (options.common.json || options.common.verbose > 0) print_changes(changes, kernel.interfaces, options.common.json);
    if (!options.common.json && !options.common.quiet) print_line(summary(changes, resolved));
  }
  if (confirmation) return await_confirmation(*confirmation, *signals, options, paths);
  return ExitStatus::ok;
}

}  // namespace longline::routeadd
