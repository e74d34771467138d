// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/text.hpp"
#include "route/precheck.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/network/route_table.hpp"

namespace longline::routeadd {
namespace {

struct Row {
  std::string_view state;
  std::string text;                             ///< the route, escaped
  route::Route route;
  const route::Wanted* wanted = nullptr;        ///< null: not from a file
  const route::KernelRoute* kernel = nullptr;   ///< null: the kernel does not have it
  bool stand_in = false;
};

class Lister {
 public:
  Lister(const route::ParsedRoutes& parsed, const route::KernelState& kernel, route::Resolved& resolved)
      : parsed_(parsed), kernel_(kernel), resolved_(resolved), changes_(route::plan(resolved, kernel)) {
    route::let_unreachable_wait(changes_, resolved, parsed.routes, kernel);
  }

  std::vector<Row> rows() {
    std::map<const route::Wanted*, const route::Change*> change_of;
    for (const route::Change& change : changes_) {
      if (change.then != nullptr && !change.then->stand_in) change_of[change.then->wanted] = &change;
    }
    for (std::size_t i = 0; i < parsed_.routes.size(); ++i) {
      const route::Wanted& wanted = parsed_.routes[i];
      Row row{"installed", escape(to_string(wanted.route)), wanted.route, &wanted, nullptr, false};
      if (resolved_.readiness[i] == route::Readiness::waiting) row.state = "waiting";
      if (resolved_.readiness[i] == route::Readiness::hidden) row.state = "hidden";
      if (const auto found = change_of.find(&wanted); found != change_of.end()) {
        row.state = found->second->kind == route::ChangeKind::conflict ? "conflict" : "missing";
        row.kernel = found->second->now;
      }
      rows_.push_back(std::move(row));
    }
    add_kernel_rows();
    return std::move(rows_);
  }

 private:
  void add_kernel_rows() {
    route::KeyIndex ours(resolved_.targets.size());
    for (std::size_t i = 0; i < resolved_.targets.size(); ++i) ours.insert(resolved_.targets[i].route.key(), i);
    std::vector<Row> foreign;
    for (const route::KernelRoute& present : kernel_.routes) {
      const std::size_t at = present.is_own() ? ours.find(present.key()) : route::KeyIndex::kNone;
      const bool stand_in = at != route::KeyIndex::kNone && resolved_.targets[at].stand_in;
      if (at != route::KeyIndex::kNone && !stand_in) continue;
      Row row{present.is_own() ? "installed" : "foreign", to_string(present, kernel_.interfaces),
              route::describe(present, kernel_.interfaces), nullptr, &present, stand_in};
      (present.is_own() ? rows_ : foreign).push_back(std::move(row));
    }
    std::move(foreign.begin(), foreign.end(), std::back_inserter(rows_));
  }

  const route::ParsedRoutes& parsed_;
  const route::KernelState& kernel_;
  const route::Resolved& resolved_;
  std::vector<route::Change> changes_;
  std::vector<Row> rows_;
};

/// Where the operator wrote the routes. A default file that is wrong is plan's business, not list's.
class Places {
 public:
  explicit Places(const sys::StatePaths& paths) {
    Result<route::ParsedRoutes> file = read_routes({paths.routes, false});
    if (file) file_ = std::move(*file);
    for (std::size_t i = 0; i < file_.routes.size(); ++i) index_.insert(key_of(file_.routes[i].route), i);
  }
  std::optional<Where> of(const route::Route& route) const {
    const std::size_t at = index_.find(key_of(route));
    if (at == route::KeyIndex::kNone || file_.routes[at].route != route) return std::nullopt;
    return file_.where(file_.routes[at]);
  }

 private:
  route::ParsedRoutes file_;
  route::KeyIndex index_{0};
};

JsonObject to_json(const Row& row, const Places& places) {
  JsonObject out;
  out.set("route", to_string(row.route)).set("state", row.state).merge(to_json(row.route));
  const bool foreign = row.state == "foreign";
  out.set("protocol", foreign ? route::protocol_name(row.kernel->protocol) : std::to_string(route::kOwnProtocol));
  out.set("stand_in", row.stand_in);
  const bool waits = row.state == "waiting" || row.state == "hidden";
  out.set("waits_for", waits ? std::optional<std::string>(route::waits_for(row.route)) : std::nullopt);
  const std::optional<Where> place = row.wanted == nullptr ? std::nullopt : places.of(row.route);
  out.set("file", place ? std::optional<std::string>(place->file) : std::nullopt);
  out.set("line", place ? std::optional<std::int64_t>(place->line) : std::nullopt);
  return out;
}

}  // namespace

Result<ExitStatus> list(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes_in_force(paths));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  route::Resolved resolved = route::resolve(parsed.routes, kernel, link_states(parsed.routes, paths));
  const Places places(paths);
  for (const Row& row : Lister(parsed, kernel, resolved).rows()) {
    print_line(options.common.json ? to_json(row, places).dump() : fmt::format("{:<10} {}", row.state, row.text));
  }
  if (const std::optional<Duration> left = until_due(paths); left && !options.common.quiet && !options.common.json) {
    std::fflush(stdout);
    std::fprintf(stderr, "routeadd: note: the routes before the last apply come back in %s, unless 'routeadd confirm' is run\n",
                 format_duration(std::chrono::ceil<std::chrono::seconds>(*left)).c_str());
  }
  return ExitStatus::ok;
}

}  // namespace longline::routeadd
