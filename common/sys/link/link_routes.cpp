// SPDX-License-Identifier: MIT
#include "sys/link/link_routes.hpp"

#include "base/text.hpp"
#include "sys/config_file.hpp"
#include "sys/link/link_client.hpp"
#include "sys/process.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kLargestLinkRecord = 4096;

/// A copy that an earlier boot, or a power failure, has left behind does not begin like this.
std::string in_force_head() { return "# in force since boot " + boot_id() + "\n"; }

/// RUN/LINK.interface: "NAME INDEX BOOT"; the name is - when the link is down.
std::optional<route::LinkState> recorded(const std::string& link, const StatePaths& paths) {
  const Result<std::string> text = read_file(paths.link_interface(link), kLargestLinkRecord);
  if (!text) return std::nullopt;
  const std::vector<std::string_view> words = split(trim(*text), ' ');
  if (words.size() != 3 || words[2] != boot_id()) return std::nullopt;
  const std::optional<std::int64_t> index = parse_integer(words[1]);
  if (!index || *index < 0) return std::nullopt;
  route::LinkState state;
  state.down = words[0] == "-";
  if (!state.down) state.interface = words[0];
  state.index = static_cast<std::uint32_t>(*index);
  return state;
}

}  // namespace

route::LinkStates link_states(const std::vector<std::string>& links, const config::Config* config, const StatePaths& paths) {
  route::LinkStates states;
  for (const std::string& name : links) states.try_emplace(name);
  for (auto& [name, state] : states) {
    if (const std::optional<route::LinkState> record = recorded(name, paths)) state = *record;
    const config::Link* link = config == nullptr ? nullptr : config->find_link(name);
    if (link == nullptr) continue;
    const JsonObject status = link_status(paths, *link);
    state.unreachable = status.string("state") == "unreachable";
    if (state.interface.empty() && !state.down) state.interface = status.string("interface").value_or("");
  }
  return states;
}

std::vector<route::LinkFacts> link_facts(const config::Config& config) {
  std::vector<route::LinkFacts> out;
  for (const config::Link& link : config.links) {
    route::LinkFacts facts{link.name, link.default_route != config::DefaultRoute::none, false};
    for (const config::Connector& connector : config.connectors) {
      const bool compares = connector.protocol == config::Protocol::x400 && connector.source_address.empty();
      if (connector.link == link.name && compares) facts.peer_checks_source = true;
    }
    out.push_back(std::move(facts));
  }
  return out;
}

std::string in_force_path(const StatePaths& paths) { return paths.run_dir + "/routes"; }

std::string whole_file_in_force(std::string_view text) { return in_force_head() + std::string(text); }

std::optional<std::string> routes_in_force(const StatePaths& paths) {
  Result<std::string> text = read_file(in_force_path(paths), route::kMostBytes);
  if (!text || !text->starts_with(in_force_head())) return std::nullopt;
  return std::move(*text);
}

}  // namespace longline::sys
