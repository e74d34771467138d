// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "route/confirmation.hpp"
#include "route/plan.hpp"
#include "routeadd.d/options.hpp"
#include "sys/link/link_routes.hpp"
#include "sys/network/route_lock.hpp"
#include "sys/signals.hpp"
#include "sys/state_paths.hpp"

namespace longline::routeadd {

Result<ExitStatus> run(const Options& options);

// One file a verb.
Result<ExitStatus> list(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> add(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> del(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> plan(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> apply(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> up(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> down(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> watch(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> export_routes(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> check(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> get(const Options& options, const sys::StatePaths& paths);
Result<ExitStatus> import_routes(const Options& options);
Result<ExitStatus> confirm(const Options& options, const sys::StatePaths& paths);

// What they share (files.cpp, kernel.cpp).

/// The name under which routes from stdin and from the command line stand in messages.
inline constexpr std::string_view kStdinName = "<stdin>";
inline constexpr std::string_view kArgumentsName = "<arguments>";

/// Which file FILE means: itself, stdin for "-" and, when it is not given, for a stdin redirected from a file; else the
/// default. A default file that is missing is empty.
struct RouteSource {
  std::string path;           ///< "-" for stdin
  bool named = false;
};
RouteSource choose_source(const std::string& file, const sys::StatePaths& paths);
Result<std::string> read_source(const RouteSource& source);
/// Errc::malformed with all diagnostics rendered.
Result<route::ParsedRoutes> parse_source(const RouteSource& source, std::string text);
Result<route::ParsedRoutes> read_routes(const RouteSource& source);

using sys::in_force_path;
using sys::routes_in_force;
using sys::whole_file_in_force;
/// The routes that are in force: those of the last apply, add or del since boot; before the first, the default file.
Result<route::ParsedRoutes> read_routes_in_force(const sys::StatePaths& paths);
/// A failure is said on stderr only: the kernel's table is right already.
void save_routes_in_force(std::string_view text, const Options& options, const sys::StatePaths& paths);
/// The routes one a line, without includes.
std::string text_of(const std::vector<route::Wanted>& routes);

/// One routeadd at a time changes routes.
Result<sys::RouteLock> lock_routes(const sys::StatePaths& paths);

/// What is known of the links that the routes are on: what `up` and `down` recorded, else what their supervisors say.
route::LinkStates link_states(const std::vector<route::Wanted>& routes, const sys::StatePaths& paths);

/// route.installed and route.removed, one event a link, in the log. Never fails.
void log_changes(const std::vector<route::Change>& changes, const route::Interfaces& interfaces, const sys::StatePaths& paths);
/// "a is in conflict with b", "the kernel refuses …": on stderr, and as an event.
void warn(const std::string& text, const std::string& event, const Options& options, const sys::StatePaths& paths);

/// Sends the changes as one transaction; events in the log for what was done. On a refusal: the line of the file, the kernel's words, Errc::route_refused.
Result<void> commit_changes(const std::vector<route::Change>& changes, const route::ParsedRoutes& parsed,
                            const route::Interfaces& interfaces);
/// The line of the file; nothing for a route from the command line, which the message shows anyway.
std::optional<Where> place(const route::Wanted& wanted, const route::ParsedRoutes& parsed);
/// "Nexthop has invalid gateway: Network is unreachable"
std::string kernel_words(int error, std::string text);
/// The error for the first conflict among the changes, if there is one.
Result<void> refuse_conflicts(const std::vector<route::Change>& changes, const route::ParsedRoutes& parsed,
                              const route::Interfaces& interfaces);
/// Takes out of the changes the routes to be added whose gateway cannot be reached now: they wait. With `paths` only those that
/// are in force there, or whose gateway is on the network of an interface that is down; without, all: they are in force.
Result<void> let_unreachable_wait(std::vector<route::Change>& changes, route::Resolved& resolved, const route::ParsedRoutes& parsed,
                                  const route::KernelState& kernel, const sys::StatePaths* paths);
/// The error for the first change that must not be made: a conflict, a part of a network of our own taken elsewhere, a
/// gateway that the kernel could not reach, the way to the operator's own host (the second and the last not with --force).
Result<void> check_changes(const std::vector<route::Change>& changes, const route::Resolved& resolved, const route::ParsedRoutes& parsed,
                           const route::KernelState& kernel, bool force);

// apply --confirm (confirm.cpp, await_confirmation.cpp).

/// "the routes applied with --confirm 1m were not confirmed in time"
std::string not_in_time(const route::Confirmation& confirmation);
/// Makes the kernel's table the old one, as far as it goes: an interface that is gone meanwhile must not keep the rest from
/// coming back. Says so, and why. Returns what could not be put back, to be said behind "the old table is back"; empty: nothing.
/// The caller holds the lock.
Result<std::string> put_back(const std::string& why, const Options& options, const sys::StatePaths& paths);

/// When the time of an unconfirmed apply is over: puts the old table back, and says so. A failure is said on stderr; the
/// next command tries again.
void restore_if_due(const Options& options, const sys::StatePaths& paths);
/// The same for a caller who holds the lock.
Result<void> restore_if_due_locked(const Options& options, const sys::StatePaths& paths);
/// Errc::busy while an apply waits to be confirmed: another change would be lost, or kept, without anybody's meaning it.
Result<void> refuse_while_pending(const sys::StatePaths& paths);
/// Until when `watch` must look again; nullopt: nothing waits.
std::optional<Duration> until_due(const sys::StatePaths& paths);
/// Waits until it is confirmed (ok), undone (interrupted), or its time is over (deadline): then the old table is back.
Result<ExitStatus> await_confirmation(const route::Confirmation& confirmation, sys::Signals& signals, const Options& options,
                                      const sys::StatePaths& paths);

void print_notes(const route::Resolved& resolved, const route::ParsedRoutes& parsed, const Options& options);
void print_changes(const std::vector<route::Change>& changes, const route::Interfaces& interfaces, bool json);
void print_line(const std::string& line);

}  // namespace longline::routeadd
