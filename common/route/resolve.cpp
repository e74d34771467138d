// SPDX-License-Identifier: MIT
#include "route/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace longline::route {
namespace {

std::uint8_t type_of(RouteKind kind) {
  switch (kind) {
    case RouteKind::unicast: return rt::kUnicast;
    case RouteKind::blackhole: return rt::kBlackhole;
    case RouteKind::unreachable: return rt::kUnreachable;
    case RouteKind::prohibit: return rt::kProhibit;
  }
  return rt::kUnicast;
}

class Resolver {
 public:
  Resolver(const std::vector<Wanted>& wanted, const KernelState& kernel, const LinkStates& links)
      : wanted_(wanted), kernel_(kernel), links_(links) {}

  Resolved resolve() {
    out_.targets.reserve(wanted_.size());
    out_.readiness.reserve(wanted_.size());
    for (const Wanted& wanted : wanted_) out_.readiness.push_back(resolve_one(wanted));
    add_stand_ins();
    return std::move(out_);
  }

 private:
  const Interface* interface_of(const Route& route) const {
    if (route.link.empty()) return kernel_.interfaces.named(route.device);
    const auto link = links_.find(route.link);
    if (link == links_.end()) return kernel_.interfaces.named(route.link);
    if (link->second.down) return nullptr;
    if (link->second.interface.empty()) return kernel_.interfaces.named(route.link);
    const Interface* interface = kernel_.interfaces.named(link->second.interface);
    // The name may have gone to another link's interface meanwhile.
    const bool same = interface != nullptr && (link->second.index == 0 || link->second.index == interface->index);
    return same ? interface : nullptr;
  }

  bool unreachable(const Route& route) const {
    const auto link = links_.find(route.link);
    return link != links_.end() && link->second.unreachable;
  }

  Readiness resolve_one(const Wanted& wanted) {
    const Route& route = wanted.route;
    Target target{{}, &wanted, false};
    KernelRoute& out = target.route;
    out.to = route.to;
    out.type = type_of(route.kind);
    out.table = route.table;
    out.metric = effective_metric(route);
    out.mtu = route.mtu;
    out.source = route.source;
    out.via = route.via;
    out.onlink = route.onlink;
    if (!route.device.empty() || !route.link.empty()) {
      const Interface* interface = interface_of(route);
      if (interface == nullptr || !interface->up) {
        return !route.link.empty() && unreachable(route) ? Readiness::hidden : Readiness::waiting;
      }
      out.interface = interface->index;
      if (route.via && interface->point_to_point) drop_gateway(out, route, *interface);
    }
    out_.targets.push_back(std::move(target));
    return Readiness::ready;
  }

  void drop_gateway(KernelRoute& out, const Route& route, const Interface& interface) {
    if (route.link.empty() && (route.onlink || reachable(route.via, interface.index))) return;
    out.via = {};
    out.onlink = false;
    const std::string gateway = to_string(route.via);
    if (!noted_.insert(gateway + interface.name).second) return;
    out_.notes.push_back(fmt::format("{} is a point-to-point interface: the gateway {} is left out", interface.name, gateway));
  }

  bool reachable(const IpAddress& gateway, std::uint32_t interface) {
    if (!on_link_) on_link_ = networks_on_link(kernel_.routes);
    return on_link_->covers(gateway, interface);
  }

  /// One unreachable route behind all routes of the same prefix: worse than the worst of them, so that a second link
  /// is a spare for the first, and traffic fails at once when neither is up.
  void add_stand_ins() {
    const bool any = std::any_of(wanted_.begin(), wanted_.end(), [](const Wanted& w) { return w.route.fail_fast; });
    if (!any) return;
    struct Group {
      const Wanted* first = nullptr;   // that says fail-fast
      std::uint32_t worst = 0;
    };
    std::map<std::pair<Prefix, std::uint32_t>, Group> groups;
    for (const Wanted& wanted : wanted_) {
      Group& group = groups[{wanted.route.to, wanted.route.table}];
      if (wanted.route.fail_fast && group.first == nullptr) group.first = &wanted;
      group.worst = std::max(group.worst, effective_metric(wanted.route));
    }
    for (const auto& [key, group] : groups) {
      if (group.first == nullptr || group.worst == 0xFFFFFFFF) continue;
      Target target{{}, group.first, true};
      target.route.to = key.first;
      target.route.table = key.second;
      target.route.type = rt::kUnreachable;
      target.route.metric = group.worst + 1;
      out_.targets.push_back(std::move(target));
    }
  }

  const std::vector<Wanted>& wanted_;
  const KernelState& kernel_;
  const LinkStates& links_;
  std::set<std::string> noted_;
  std::optional<NetworkIndex> on_link_;   // made when the first route asks
  Resolved out_;
};

}  // namespace

void Interfaces::add(Interface interface) {
  names_[interface.index] = interface.name;
  std::string name = interface.name;
  by_name_[std::move(name)] = std::move(interface);
}

const Interface* Interfaces::named(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const Interface* Interfaces::numbered(std::uint32_t index) const {
  const auto found = names_.find(index);
  return found == names_.end() ? nullptr : named(found->second);
}

Resolved resolve(const std::vector<Wanted>& wanted, const KernelState& kernel, const LinkStates& links) {
  return Resolver(wanted, kernel, links).resolve();
}

bool is_on_link(const KernelRoute& route) { return route.type == rt::kUnicast && !route.via && route.to.length > 0; }

NetworkIndex networks_on_link(const std::vector<KernelRoute>& routes) {
  NetworkIndex index;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (is_on_link(routes[i])) index.insert(routes[i].to, routes[i].interface, i);
  }
  return index;
}

std::string waits_for(const Route& route) {
  if (!route.link.empty()) return "link " + route.link;
  return route.device.empty() ? "gateway " + to_string(route.via) : "interface " + route.device;
}

}  // namespace longline::route
