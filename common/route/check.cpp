// SPDX-License-Identifier: MIT
#include "route/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace longline::route {
namespace {

class Checker {
 public:
  explicit Checker(const CheckInput& input) : in_(input), on_link_(networks_on_link(input.kernel.routes)) {}

  std::vector<Finding> run() {
    for (const Family family : {Family::ipv4, Family::ipv6}) check_defaults(family);
    find_foreign();
    for (const KernelRoute& route : in_.kernel.routes) {
      if (route.type != rt::kUnicast || route.table != kMainTable) continue;
      check_gateway(route);
      if (route.is_own()) check_shadow(route);
      check_own_network(route);
      check_source(route);
    }
    return std::move(out_);
  }

 private:
  void find_foreign() {
    std::vector<std::size_t> foreign;
    for (std::size_t i = 0; i < in_.kernel.routes.size(); ++i) {
      if (!in_.kernel.routes[i].is_own()) foreign.push_back(i);
    }
    std::stable_sort(foreign.begin(), foreign.end(),
                     [&](std::size_t a, std::size_t b) { return in_.kernel.routes[a].metric < in_.kernel.routes[b].metric; });
    for (const std::size_t i : foreign) best_foreign_.insert({in_.kernel.routes[i].to, in_.kernel.routes[i].table, 0, 0}, i);
  }

  const Interface* interface(const KernelRoute& route) const { return in_.kernel.interfaces.numbered(route.interface); }
  std::string text(const KernelRoute& route) const { return to_string(route, in_.kernel.interfaces); }

  /// The interface is the end of a line: a link's, or one that looks like it.
  bool is_line(const Interface& i) const { return i.point_to_point || !link_of(i, in_.links).empty(); }

  const LinkFacts* facts(const std::string& link) const {
    const auto found = std::find_if(in_.facts.begin(), in_.facts.end(), [&](const LinkFacts& f) { return f.name == link; });
    return found == in_.facts.end() ? nullptr : &*found;
  }

  void add(std::string code, const KernelRoute& route, std::string link, std::string message, std::string advice) {
    out_.push_back({std::move(code), text(route), std::move(link), std::move(message), std::move(advice)});
  }

  bool is_wanted_default(Family family, const std::string& link) const {
    return std::any_of(in_.wanted.begin(), in_.wanted.end(), [&](const Wanted& w) {
      return w.route.to == default_prefix(family) && w.route.link == link && !link.empty();
    });
  }

  void check_defaults(Family family) {
    std::vector<const KernelRoute*> defaults;
    for (const KernelRoute& route : in_.kernel.routes) {
      if (route.to == default_prefix(family) && route.type == rt::kUnicast && route.table == kMainTable) defaults.push_back(&route);
    }
    std::stable_sort(defaults.begin(), defaults.end(), [](const auto* a, const auto* b) { return a->metric < b->metric; });
    for (const KernelRoute* route : defaults) {
      const Interface* i = interface(*route);
      if (i == nullptr || !is_line(*i)) continue;
      const std::string link = link_of(*i, in_.links);
      const LinkFacts* known = facts(link);
      if ((known != nullptr && known->takes_default) || is_wanted_default(family, link)) continue;
      const bool used = route == defaults.front();
      add("stolen-default", *route, link,
          fmt::format("{} default route {} down {}", family_name(family), used ? "goes" : "could go",
                      link.empty() ? "the line of " + i->name : fmt::format("the link {} ({})", link, i->name)),
          fmt::format("remove it: ip route del default dev {}; a link takes it only with default-route = true", i->name));
    }
    if (defaults.size() > 1) {
      add("several-defaults", *defaults.front(), "",
          fmt::format("{} {} default routes; this one is used, by its metric of {}", defaults.size(), family_name(family),
                      defaults.front()->metric),
          "keep one, or mind that the next one takes over when it goes");
    }
  }

  void check_gateway(const KernelRoute& route) {
    const Interface* i = interface(route);
    if (!route.via || i == nullptr || i->point_to_point || route.via.is_link_local()) return;
    if (on_link_.covers(route.via, route.interface)) return;
    add("off-link", route, link_of(*i, in_.links), fmt::format("the gateway {} is on no network of {}", to_string(route.via), i->name),
        "correct the gateway, or add a route to it on that interface");
  }

  void check_shadow(const KernelRoute& route) {
    const std::size_t at = best_foreign_.find({route.to, route.table, 0, 0});
    if (at == KeyIndex::kNone || in_.kernel.routes[at].metric >= route.metric) return;
    const KernelRoute& other = in_.kernel.routes[at];
    const Interface* i = interface(route);
    add("shadowed", route, i == nullptr ? "" : link_of(*i, in_.links), fmt::format("'{}' is preferred by its metric", text(other)),
        fmt::format("give ours a metric below {}, or remove the other", other.metric));
  }

  void check_own_network(const KernelRoute& route) {
    const Interface* i = interface(route);
    if (i == nullptr || !is_line(*i) || route.protocol == kKernelProtocol || route.to.length == 0) return;
    for (const InterfaceAddress& address : in_.addresses) {
      const Interface* own = in_.kernel.interfaces.numbered(address.interface);
      if (own == nullptr || own->index == i->index || is_line(*own) || own->name == "lo") continue;
      const Prefix network = network_of(address.network);
      if (network.length == address_bits(network.address.family) || !network.covers(route.to)) continue;
      const std::string link = link_of(*i, in_.links);
      add("own-network", route, link,
          fmt::format("leads down the line, but {} is our own network on {}", to_string(network), own->name), "remove the route");
      return;
    }
  }

  void check_source(const KernelRoute& route) {
    const Interface* i = interface(route);
    if (i == nullptr || route.source || route.protocol == kKernelProtocol) return;
    const std::string link = link_of(*i, in_.links);
    const LinkFacts* known = facts(link);
    if (known == nullptr || !known->peer_checks_source) return;
    std::string ours, other;
    for (const InterfaceAddress& address : in_.addresses) {
      if (address.local.family != route.to.address.family || address.local.is_link_local()) continue;
      const Interface* at = in_.kernel.interfaces.numbered(address.interface);
      if (at == nullptr || !at->up || at->name == "lo") continue;
      if (at->index == i->index && ours.empty()) ours = to_string(address.local);
      if (at->index != i->index && other.empty()) other = fmt::format("{} ({})", to_string(address.local), at->name);
    }
    if (ours.empty() || other.empty()) return;
    add("source-address", route, link, fmt::format("a peer sees us as {}, not as {}; one that compares addresses refuses (event 9301)", ours, other),
        "'src' in the route, or source-address in the connector");
  }

  const CheckInput& in_;
  NetworkIndex on_link_;
  KeyIndex best_foreign_{0};   // by network and table, the one with the lowest metric
  std::vector<Finding> out_;
};

}  // namespace

std::vector<Finding> check_routes(const CheckInput& input) { return Checker(input).run(); }

const Change* change_of_way(const IpAddress& peer, const KernelRoute& entry, const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (change.kind == ChangeKind::conflict) continue;
    if (change.now != nullptr && change.now->key() == entry.key() && change.then == nullptr) return &change;
    if (change.then == nullptr) continue;
    const KernelRoute& then = change.then->route;
    if (!then.to.covers(peer) || then.table != entry.table) continue;
    const bool preferred = then.to.length > entry.to.length || (then.to.length == entry.to.length && then.metric <= entry.metric);
    const bool same_way = then.type == rt::kUnicast && then.via == entry.via && (then.interface == 0 || then.interface == entry.interface);
    if (preferred && !same_way) return &change;
  }
  return nullptr;
}

std::string link_of(const Interface& interface, const LinkStates& links) {
  for (const auto& [name, state] : links) {
    if (state.down) continue;
    if (state.interface == interface.name && (state.index == 0 || state.index == interface.index)) return name;
  }
  const auto named = links.find(interface.name);
  return named != links.end() && named->second.interface.empty() && !named->second.down ? interface.name : "";
}

const Wanted* better_if_up(const IpAddress& address, const std::vector<Wanted>& wanted, const std::vector<Readiness>& readiness,
                           const KernelRoute* now) {
  const Wanted* best = nullptr;
  const auto better = [](const Route& a, int length, std::uint32_t metric) {
    return a.to.length > length || (a.to.length == length && effective_metric(a) < metric);
  };
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Route& route = wanted[i].route;
    if (readiness[i] == Readiness::ready || route.table != kMainTable || !route.to.covers(address)) continue;
    if (now != nullptr && !better(route, now->to.length, now->metric)) continue;
    if (best == nullptr || better(route, best->route.to.length, effective_metric(best->route))) best = &wanted[i];
  }
  return best;
}

}  // namespace longline::route
