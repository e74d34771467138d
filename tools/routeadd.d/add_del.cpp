// SPDX-License-Identifier: MIT
// add and del: one route, in the file of routes and in the kernel at once.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/network/route_table.hpp"
#include "sys/text_file.hpp"

namespace longline::routeadd {
namespace {

Result<route::Wanted> parse_words(const std::vector<std::string>& words, route::Completeness completeness) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  std::vector<Diagnostic> diagnostics;
  std::optional<route::Wanted> wanted =
      route::parse_route_line(line, 1, std::string(kArgumentsName), diagnostics, completeness);
  if (wanted) return std::move(*wanted);
  if (diagnostics.empty()) return Error(Errc::usage, "the route is empty", Stage::route);
  std::string text = render(diagnostics.front(), SourceText(std::string(kArgumentsName), line), tools::colour_on_stderr());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return Error(Errc::malformed, std::move(text), Stage::route);
}

/// The changes that belong to one route: itself, and the unreachable route behind its prefix.
std::vector<route::Change> changes_of(const route::Route& subject, const std::vector<route::Change>& all) {
  std::vector<route::Change> out;
  for (const route::Change& change : all) {
    const route::KernelRoute& kernel = change.then != nullptr ? change.then->route : *change.now;
    if (kernel.to != subject.to || kernel.table != subject.table) continue;
    const bool itself = kernel.metric == effective_metric(subject);
    const bool stand_in = change.then != nullptr ? change.then->stand_in : kernel.type == route::rt::kUnreachable;
    if (itself || stand_in) out.push_back(change);
  }
  return out;
}

struct Files {
  std::string text;                 ///< of the default file
  route::ParsedRoutes file;
  route::ParsedRoutes in_force;
};

Result<Files> read_files(const sys::StatePaths& paths) {
  Files files;
  const RouteSource source{paths.routes, false};
  LONGLINE_TRY(files.text, read_source(source));
  LONGLINE_TRY(files.file, parse_source(source, files.text));
  LONGLINE_TRY(files.in_force, read_routes_in_force(paths));
  return files;
}

/// Makes the kernel follow `wanted` as far as `subject` goes, then writes the file of routes; if that fails, the kernel's routes are put back.
Result<route::Readiness> carry_out(const route::Route& subject, const route::ParsedRoutes& wanted, const std::string* new_text,
                                   const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  route::Resolved resolved = route::resolve(wanted.routes, kernel, link_states(wanted.routes, paths));
  std::vector<route::Change> changes = changes_of(subject, route::plan(resolved, kernel));
  LONGLINE_CHECK(let_unreachable_wait(changes, resolved, wanted, kernel, &paths));
  LONGLINE_CHECK(refuse_conflicts(changes, wanted, kernel.interfaces));
  LONGLINE_CHECK(commit_changes(changes, wanted, kernel.interfaces));
  if (new_text != nullptr) {
    if (const Result<void> written = sys::rewrite_text_file(paths.routes, *new_text); !written) {
      const std::vector<route::Step> steps = route::steps(changes);
      LONGLINE_CHECK(sys::commit(route::undo(steps, steps.size())));
      return written.error();
    }
  }
  log_changes(changes, kernel.interfaces, paths);
  if (routes_in_force(paths)) save_routes_in_force(text_of(wanted.routes), options, paths);
  print_notes(resolved, wanted, options);
  for (std::size_t i = 0; i < wanted.routes.size(); ++i) {
    if (key_of(wanted.routes[i].route) == key_of(subject)) return resolved.readiness[i];
  }
  return route::Readiness::ready;
}

std::string without_lines(const std::string& text, const std::vector<int>& lines) {
  std::string out;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    if (std::find(lines.begin(), lines.end(), number) == lines.end()) out += rest.substr(0, end);
    rest.remove_prefix(end);
  }
  return out;
}

void report(std::string_view state, const route::Route& route, const Options& options) {
  if (options.common.json) {
    JsonObject out;
    out.set("route", to_string(route)).set("state", state).merge(to_json(route));
    print_line(out.dump());
  } else if (!options.common.quiet) {
    print_line(fmt::format("{:<10} {}", state, escape(to_string(route))));
  }
}

/// Every route that `selection` could mean, once: in the file, in force, in the kernel.
std::vector<route::Route> candidates(const route::Route& selection, const Files& files, const route::KernelState& kernel) {
  std::vector<route::Route> out;
  const auto consider = [&](const route::Route& route) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const route::Route& r) { return key_of(r) == key_of(route); });
    if (!known && matches(selection, route)) out.push_back(route);
  };
  for (const route::Wanted& wanted : files.file.routes) consider(wanted.route);
  for (const route::Wanted& wanted : files.in_force.routes) consider(wanted.route);
  const route::Resolved resolved = route::resolve(files.in_force.routes, kernel, {});
  for (const route::KernelRoute& present : kernel.routes) {
    const bool stand_in = std::any_of(resolved.targets.begin(), resolved.targets.end(), [&](const route::Target& t) {
      return t.stand_in && t.route.key() == present.key();
    });
    if (present.is_own() && !stand_in) consider(describe(present, kernel.interfaces));
  }
  return out;
}

}  // namespace

Result<ExitStatus> add(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(route::Wanted wanted, parse_words(options.words, route::Completeness::whole));
  LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
  LONGLINE_CHECK(refuse_while_pending(paths));
  LONGLINE_TRY(Files files, read_files(paths));
  const std::string line = to_string(wanted.route);
  bool in_file = false;
  for (const route::Wanted& other : files.file.routes) {
    if (key_of(other.route) != key_of(wanted.route)) continue;
    if (other.route == wanted.route) {
      in_file = true;
      continue;
    }
    Error error(Errc::route_refused, fmt::format("'{}' has the prefix and the metric of '{}'", escape(to_string(other.route)), escape(line)),
                Stage::route);
    error.where = files.file.where(other);
    return std::move(error).with_hint("remove it first with 'routeadd del', or give the new route another metric");
  }
  std::erase_if(files.in_force.routes, [&](const route::Wanted& w) { return key_of(w.route) == key_of(wanted.route); });
  wanted.source = static_cast<std::uint32_t>(files.in_force.sources.size());
  files.in_force.sources.emplace_back(std::string(kArgumentsName), line);
  files.in_force.routes.push_back(wanted);
  std::string text = files.text;
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += line + '\n';
  LONGLINE_TRY(const route::Readiness readiness,
               carry_out(wanted.route, files.in_force, in_file ? nullptr : &text, options, paths));
  report(readiness == route::Readiness::ready ? "installed" : "waiting", wanted.route, options);
  return ExitStatus::ok;
}

Result<ExitStatus> del(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::Wanted selection, parse_words(options.words, route::Completeness::selection));
  LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
  LONGLINE_CHECK(refuse_while_pending(paths));
  LONGLINE_TRY(Files files, read_files(paths));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  const std::vector<route::Route> found = candidates(selection.route, files, kernel);
  if (found.empty()) {
    return Error(Errc::not_found, fmt::format("no route of ours is '{}'", escape(to_string(selection.route))), Stage::route)
        .with_hint("'routeadd list' shows them");
  }
  if (found.size() > 1) {
    std::string all;
    for (const route::Route& route : found) all += (all.empty() ? "'" : ", '") + escape(to_string(route)) + "'";
    return Error(Errc::usage, fmt::format("{} routes are '{}': {}", found.size(), escape(to_string(selection.route)), all), Stage::route)
        .with_hint("add the metric of the one that is meant");
  }
  const route::Route& subject = found.front();
  std::vector<int> lines;
  for (const route::Wanted& wanted : files.file.routes) {
    if (key_of(wanted.route) != key_of(subject)) continue;
    if (wanted.source != 0) {
      Error error(Errc::route_refused, "the route is in an included file, which routeadd does not change", Stage::route);
      error.where = files.file.where(wanted);
      return error;
    }
    lines.push_back(wanted.line);
  }
  std::erase_if(files.in_force.routes, [&](const route::Wanted& w) { return key_of(w.route) == key_of(subject); });
  const std::string text = without_lines(files.text, lines);
  LONGLINE_CHECK(carry_out(subject, files.in_force, lines.empty() ? nullptr : &text, options, paths));
  report("removed", subject, options);
  return ExitStatus::ok;
}

}  // namespace longline::routeadd
