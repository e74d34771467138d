// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "route/check.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/route_table.hpp"

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

/// An operator at the far end of a line must not cut himself off: SSH_CONNECTION names his address first.
Result<void> keep_the_way_to_the_operator(const std::vector<route::Change>& changes, const route::Interfaces& interfaces) {
  const char* connection = std::getenv("SSH_CONNECTION");
  if (connection == nullptr || changes.empty()) return {};
  const std::string_view text(connection);
  const std::optional<route::IpAddress> peer = route::parse_address(text.substr(0, text.find(' ')));
  if (!peer) return {};
  const Result<sys::Lookup> lookup = sys::lookup_route(*peer, {});
  if (!lookup || !lookup->entry) return {};
  const route::Change* change = route::change_of_way(*peer, *lookup->entry, changes);
  if (change == nullptr) return {};
  return Error(Errc::route_refused,
               fmt::format("'{}' would change the way to {}, from where you are logged in", to_string(*change, interfaces), to_string(*peer)),
               Stage::route)
      .with_hint("nothing was changed; --force does it all the same");
}

}  // namespace

Result<ExitStatus> plan(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes(choose_source(options.file, paths)));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  const route::Resolved resolved = route::resolve(parsed.routes, kernel, link_states(parsed.routes, paths));
  const std::vector<route::Change> changes = route::plan(resolved, kernel);
  print_notes(resolved, parsed, options);
  if (!options.common.quiet || options.common.json) print_changes(changes, kernel.interfaces, options.common.json);
  return changes.empty() ? ExitStatus::ok : ExitStatus::no;
}

Result<ExitStatus> apply(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes(choose_source(options.file, paths)));
  LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  const route::Resolved resolved = route::resolve(parsed.routes, kernel, link_states(parsed.routes, paths));
  const std::vector<route::Change> changes = route::plan(resolved, kernel);
  LONGLINE_CHECK(refuse_conflicts(changes, parsed, kernel.interfaces));
  if (!options.force) {
    LONGLINE_CHECK(keep_the_way_to_the_operator(changes, kernel.interfaces));
  }
  LONGLINE_CHECK(commit_changes(changes, parsed, kernel.interfaces));
  log_changes(changes, kernel.interfaces, paths);
  // Included files may be elsewhere, or gone, when the copy is read.
  if (parsed.sources.size() == 1) save_routes_in_force(parsed.sources.front().text(), options, paths);
  else save_routes_in_force(text_of(parsed.routes), options, paths);
  print_notes(resolved, parsed, options);
  if (options.common.json || options.common.verbose > 0) print_changes(changes, kernel.interfaces, options.common.json);
  if (!options.common.json && !options.common.quiet) print_line(summary(changes, resolved));
  return ExitStatus::ok;
}

}  // namespace longline::routeadd
