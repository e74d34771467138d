// SPDX-License-Identifier: MIT
// The old table comes back unless somebody says in time that the new one is good; await_confirmation.cpp waits for it.
#include <fmt/format.h>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/network/route_confirmation.hpp"
#include "sys/network/route_table.hpp"
#include "sys/system_clock.hpp"

namespace longline::routeadd {

Result<std::string> put_back(const std::string& why, const Options& options, const sys::StatePaths& paths) {
  const sys::RouteConfirmation record(paths.run_dir);
  const std::string path = record.before_path();
  Result<route::ParsedRoutes> read = read_routes({path, true});
  if (!read && (read.error().code == Errc::not_found || read.error().code == Errc::malformed)) {
    record.forget();   // no later attempt could do better
    warn(why + ", but there is no way back: " + read.error().message(), "route.refused", options, paths);
    return "; but there is no way back: " + read.error().message();
  }
  LONGLINE_TRY(const route::ParsedRoutes parsed, std::move(read));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  route::Resolved resolved = route::resolve(parsed.routes, kernel, link_states(parsed.routes, paths));
  std::vector<route::Change> changes = route::plan(resolved, kernel);
  LONGLINE_CHECK(let_unreachable_wait(changes, resolved, parsed, kernel, nullptr));
  const std::vector<route::Step> steps = route::steps(changes);
  LONGLINE_TRY(const std::vector<sys::StepRefusal> refusals, sys::commit_each(steps));
  std::string missing;
  for (const sys::StepRefusal& refusal : refusals) {
    if (refusal.error == EPERM) {
      return Error(Errc::permission, "changing routes: Operation not permitted", Stage::route).with_hint("it needs root, or the capability CAP_NET_ADMIN");
    }
    missing += fmt::format("; '{}' could not be put back: {}", to_string(*steps[refusal.step].route, kernel.interfaces),
                           kernel_words(refusal.error, refusal.text));
  }
  for (const route::Change& change : changes) {
    if (change.kind == route::ChangeKind::conflict) missing += fmt::format("; '{}' is in conflict", to_string(change, kernel.interfaces).substr(2));
  }
  LONGLINE_CHECK(record.restored());
  log_changes(changes, kernel.interfaces, paths);
  warn(why + ": the old table is back" + missing, "route.restored", options, paths);
  return missing;
}

std::string not_in_time(const route::Confirmation& confirmation) {
  return fmt::format("the routes applied with --confirm {} were not confirmed in time", format_duration(confirmation.limit));
}

Result<void> restore_if_due_locked(const Options& options, const sys::StatePaths& paths) {
  const sys::RouteConfirmation record(paths.run_dir);
  const std::optional<route::Confirmation> pending = record.pending();
  if (!pending || record.standing(*pending) != route::Standing::due) return {};
  LONGLINE_CHECK(put_back(not_in_time(*pending), options, paths));
  return {};
}

void restore_if_due(const Options& options, const sys::StatePaths& paths) {
  const sys::RouteConfirmation record(paths.run_dir);
  const std::optional<route::Confirmation> pending = record.pending();
  if (!pending || record.standing(*pending) != route::Standing::due) return;
  const Result<void> done = [&]() -> Result<void> {
    LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
    return restore_if_due_locked(options, paths);
  }();
  if (done) return;
  warn(fmt::format("{}, and the old table could not be put back: {}", not_in_time(*pending), done.error().message()), "route.refused", options, paths);
}

std::optional<Duration> until_due(const sys::StatePaths& paths) {
  const std::optional<route::Confirmation> pending = sys::RouteConfirmation(paths.run_dir).pending();
  if (!pending) return std::nullopt;
  return std::max(Duration(1), pending->deadline - sys::since_boot());
}

Result<void> refuse_while_pending(const sys::StatePaths& paths) {
  const std::optional<Duration> left = until_due(paths);
  if (!left) return {};
  const Duration seconds = std::chrono::ceil<std::chrono::seconds>(*left);
  return Error(Errc::busy, fmt::format("an apply waits to be confirmed, for {} more", format_duration(seconds)), Stage::route)
      .with_hint("nothing was changed; 'routeadd confirm' keeps its routes, 'routeadd confirm --undo' puts the old ones back");
}

Result<ExitStatus> confirm(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
  LONGLINE_CHECK(restore_if_due_locked(options, paths));
  const sys::RouteConfirmation record(paths.run_dir);
  if (!record.pending()) {
    if (record.last_was_restored() && !options.undo) {
      return Error(Errc::deadline, "it is too late: the old table is back", Stage::route).with_hint("apply the routes again");
    }
    return Error(Errc::not_found, "no apply waits to be confirmed", Stage::route);
  }
  if (options.undo) {
    Options silent = options;
    silent.common.json = true;
    LONGLINE_TRY(const std::string missing, put_back("'routeadd confirm --undo' was run", silent, paths));
    if (!missing.empty()) return Error(Errc::route_refused, "the old table is back" + missing, Stage::route);
  } else {
    LONGLINE_CHECK(record.confirmed());
  }
  if (!options.common.quiet && !options.common.json) print_line(options.undo ? "the old table is back" : "confirmed");
  return ExitStatus::ok;
}

}  // namespace longline::routeadd
