// SPDX-License-Identifier: MIT
// up and down: what dialctl calls when a link comes and goes.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/network/route_table.hpp"
#include "sys/process.hpp"
#include "sys/text_file.hpp"

namespace longline::routeadd {
namespace {

Result<void> record(const std::string& link, const route::Interface* interface, const sys::StatePaths& paths) {
  const std::string text = interface == nullptr ? fmt::format("- 0 {}\n", sys::boot_id())
                                                : fmt::format("{} {} {}\n", interface->name, interface->index, sys::boot_id());
  return sys::rewrite_text_file(paths.link_interface(link), text, /*durable=*/false);
}

/// The changes that one link brings: its own routes, and what stands in for them.
std::vector<route::Change> changes_of_link(const std::string& link, const std::vector<route::Wanted>& routes,
                                           const std::vector<route::Change>& all) {
  std::set<route::Prefix> prefixes;
  for (const route::Wanted& wanted : routes) {
    if (wanted.route.link == link) prefixes.insert(wanted.route.to);
  }
  std::vector<route::Change> out;
  for (const route::Change& change : all) {
    const route::Prefix& to = change.then != nullptr ? change.then->route.to : change.now->to;
    const bool of_another = change.then != nullptr && !change.then->stand_in && change.then->wanted->route.link != link;
    if (prefixes.contains(to) && !of_another) out.push_back(change);
  }
  return out;
}

/// Conflicts are said and left out: they must not keep a link's other routes back.
bool report_conflicts(std::vector<route::Change>& changes, const route::Interfaces& interfaces, const Options& options,
                      const sys::StatePaths& paths) {
  bool any = false;
  for (const route::Change& change : changes) {
    if (change.kind != route::ChangeKind::conflict) continue;
    any = true;
    warn(fmt::format("'{}' is in conflict with '{}'", to_string(change.then->route, interfaces), to_string(*change.now, interfaces)),
         "route.conflict", options, paths);
  }
  std::erase_if(changes, [](const route::Change& c) { return c.kind == route::ChangeKind::conflict; });
  return any;
}

Result<ExitStatus> follow_link(const Options& options, const sys::StatePaths& paths, const route::KernelState& kernel) {
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes_in_force(paths));
  route::Resolved resolved = route::resolve(parsed.routes, kernel, link_states(parsed.routes, paths));
  std::vector<route::Change> changes = changes_of_link(options.link, parsed.routes, route::plan(resolved, kernel));
  LONGLINE_CHECK(let_unreachable_wait(changes, resolved, parsed, kernel, nullptr));
  const bool conflicts = report_conflicts(changes, kernel.interfaces, options, paths);
  LONGLINE_CHECK(commit_changes(changes, parsed, kernel.interfaces));
  log_changes(changes, kernel.interfaces, paths);
  print_notes(resolved, parsed, options);
  if (!options.common.quiet || options.common.json) print_changes(changes, kernel.interfaces, options.common.json);
  return conflicts ? ExitStatus::data : ExitStatus::ok;
}

Result<void> check_name(const std::string& link) {
  if (!link.empty() && link.size() <= 64) return {};
  return Error(Errc::usage, "the name of a link has 1 to 64 characters", Stage::route);
}

}  // namespace

Result<ExitStatus> up(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_CHECK(check_name(options.link));
  LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  const std::string& name = options.device.empty() ? options.link : options.device;
  const route::Interface* interface = kernel.interfaces.named(name);
  if (interface == nullptr) return Error(Errc::no_device, fmt::format("there is no interface '{}'", escape(name)), Stage::route);
  if (!interface->up) return Error(Errc::no_device, fmt::format("the interface '{}' is not up", escape(name)), Stage::route);
  LONGLINE_CHECK(record(options.link, interface, paths));
  return follow_link(options, paths, kernel);
}

Result<ExitStatus> down(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_CHECK(check_name(options.link));
  LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
  LONGLINE_CHECK(record(options.link, nullptr, paths));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  return follow_link(options, paths, kernel);
}

}  // namespace longline::routeadd
