// SPDX-License-Identifier: MIT
// What is known of links, and what is told of routes.
#include <fmt/format.h>

#include <cstdio>
#include <map>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/event_log.hpp"
#include "sys/link_client.hpp"
#include "sys/process.hpp"

namespace longline::routeadd {
namespace {

constexpr std::size_t kLargestRecord = 4096;
constexpr std::size_t kMostRoutesInAnEvent = 20;

/// RUN/LINK.interface: "NAME INDEX BOOT"; the name is - when the link is down.
std::optional<route::LinkState> recorded(const std::string& link, const sys::StatePaths& paths) {
  const Result<std::string> text = sys::read_file(paths.link_interface(link), kLargestRecord);
  if (!text) return std::nullopt;
  const std::vector<std::string_view> words = split(trim(*text), ' ');
  if (words.size() != 3 || words[2] != sys::boot_id()) return std::nullopt;
  const std::optional<std::int64_t> index = parse_integer(words[1]);
  if (!index || *index < 0) return std::nullopt;
  route::LinkState state;
  state.down = words[0] == "-";
  if (!state.down) state.interface = words[0];
  state.index = static_cast<std::uint32_t>(*index);
  return state;
}

}  // namespace

route::LinkStates link_states(const std::vector<route::Wanted>& routes, const sys::StatePaths& paths) {
  route::LinkStates states;
  for (const route::Wanted& wanted : routes) {
    if (!wanted.route.link.empty()) states.try_emplace(wanted.route.link);
  }
  if (states.empty()) return states;
  const Result<sys::LoadedConfig> config = sys::load_config(paths);
  for (auto& [name, state] : states) {
    if (const std::optional<route::LinkState> record = recorded(name, paths)) state = *record;
    // A configuration that is wrong is said by the tools that need it; routes need its links' states only if they can be had.
    const config::Link* link = config ? config->config.find_link(name) : nullptr;
    if (link == nullptr) continue;
    const JsonObject status = sys::link_status(paths, *link);
    state.unreachable = status.string("state") == "unreachable";
    if (state.interface.empty() && !state.down) state.interface = status.string("interface").value_or("");
  }
  return states;
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
