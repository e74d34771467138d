// SPDX-License-Identifier: MIT
// What is known of links, and what is told of routes.
#include <fmt/format.h>

#include <cstdio>
#include <map>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/event_log.hpp"

namespace longline::routeadd {
namespace {

constexpr std::size_t kMostRoutesInAnEvent = 20;

}  // namespace

route::LinkStates link_states(const std::vector<route::Wanted>& routes, const sys::StatePaths& paths) {
  std::vector<std::string> names;
  for (const route::Wanted& wanted : routes) {
    if (!wanted.route.link.empty()) names.push_back(wanted.route.link);
  }
  if (names.empty()) return {};
  // A configuration that is wrong is said by the tools that need it; routes need their links' states only if they can be had.
  const Result<sys::LoadedConfig> config = sys::load_config(paths);
  return sys::link_states(names, config ? &config->config : nullptr, paths);
}

void log_changes(const std::vector<route::Change>& changes, const route::Interfaces& interfaces, const sys::StatePaths& paths) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> by_event;   // (event, link) -> routes
  const auto note = [&](const char* event, const std::string& link, std::string text) {
    by_event[{event, link}].push_back(std::move(text));
  };
  for (const route::Change& change : changes) {
    if (change.kind == route::ChangeKind::conflict) continue;
    const std::string link = change.then == nullptr ? "" : change.then->wanted->route.link;
    if (change.then != nullptr) note("route.installed", link, to_string(change.then->route, interfaces));
    else note("route.removed", "", to_string(*change.now, interfaces));
  }
  sys::EventLog log(paths.events);
  for (auto& [name, routes] : by_event) {
    Event event{name.first};
    event.link = name.second;
    event.more.set("count", static_cast<std::int64_t>(routes.size()));
    if (routes.size() > kMostRoutesInAnEvent) routes.resize(kMostRoutesInAnEvent);
    event.more.set("routes", routes);
    log.emit(event);
  }
}

void warn(const std::string& text, const std::string& name, const Options& options, const sys::StatePaths& paths) {
  if (!options.common.json) std::fprintf(stderr, "routeadd: warning: %s\n", text.c_str());
  Event event{name};
  event.stage = Stage::route;
  event.text = text;
  sys::EventLog(paths.events).emit(event);
}

}  // namespace longline::routeadd
