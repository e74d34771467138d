// SPDX-License-Identifier: MIT
#include "route/precheck.hpp"

#include <algorithm>
#include <set>

namespace longline::route {
namespace {

bool brings(const Change& change) { return change.kind == ChangeKind::add || change.kind == ChangeKind::replace; }

}  // namespace

std::vector<Overlap> overlaps(const std::vector<Change>& changes, const KernelState& kernel) {
  NetworkIndex own;
  for (std::size_t i = 0; i < kernel.routes.size(); ++i) {
    const KernelRoute& route = kernel.routes[i];
    const bool host = route.to.length == address_bits(route.to.address.family);
    const bool local = route.to.address.is_link_local() || route.to.address.is_multicast();
    if (route.protocol == kKernelProtocol && route.table == kMainTable && is_on_link(route) && !host && !local) {
      own.insert(route.to, route.interface, i);
    }
  }
  std::vector<Overlap> out;
  for (const Change& change : changes) {
    if (!brings(change)) continue;
    const KernelRoute& then = change.then->route;
    const bool host = then.to.length == address_bits(then.to.address.family);
    if (then.type != rt::kUnicast || then.table != kMainTable || host) continue;
    const std::optional<std::size_t> at = own.find(then.to);
    if (!at) continue;
    const KernelRoute& network = kernel.routes[*at];
    const bool preferred = then.to.length > network.to.length || then.metric < network.metric;
    const std::optional<std::size_t> mine = own.find(then.to, then.interface);
    const bool same_interface = then.interface == 0 ? network.to.covers(then.via) : mine && kernel.routes[*mine].to == network.to;
    if (preferred && !same_interface) out.push_back({&change, &network});
  }
  return out;
}

std::vector<const Change*> doubtful_gateways(const std::vector<Change>& changes, const Resolved& wanted, const KernelState& kernel) {
  NetworkIndex on_link;
  for (const KernelRoute& route : kernel.routes) {
    if (!route.is_own() && is_on_link(route)) on_link.insert(route.to, route.interface, 0);
  }
  for (const Target& target : wanted.targets) {
    if (is_on_link(target.route)) on_link.insert(target.route.to, target.route.interface, 0);
  }
  std::vector<const Change*> out;
  for (const Change& change : changes) {
    if (!brings(change)) continue;
    const KernelRoute& then = change.then->route;
    if (!then.via || then.onlink || then.via.is_link_local()) continue;
    const Prefix gateway{then.via, address_bits(then.via.family)};
    if (!on_link.find(gateway, then.interface)) out.push_back(&change);
    else on_link.insert(gateway, then.interface, 0);  // the next route through it is sooner done
  }
  return out;
}

bool is_on_interface_that_is_down(const IpAddress& gateway, const std::vector<InterfaceAddress>& addresses, const Interfaces& interfaces) {
  return std::any_of(addresses.begin(), addresses.end(), [&](const InterfaceAddress& address) {
    const Interface* interface = interfaces.numbered(address.interface);
    return interface != nullptr && !interface->up && address.network.covers(gateway);
  });
}

void let_wait(const std::vector<const Change*>& these, std::vector<Change>& changes, Resolved& resolved, const std::vector<Wanted>& wanted) {
  if (these.empty()) return;
  std::set<const Target*> targets;
  for (const Change* change : these) {
    targets.insert(change->then);
    resolved.readiness[static_cast<std::size_t>(change->then->wanted - wanted.data())] = Readiness::waiting;
  }
  std::erase_if(changes, [&](const Change& change) { return targets.contains(change.then); });
}

void let_unreachable_wait(std::vector<Change>& changes, Resolved& resolved, const std::vector<Wanted>& wanted, const KernelState& kernel) {
  std::vector<const Change*> waiting = doubtful_gateways(changes, resolved, kernel);
  std::erase_if(waiting, [](const Change* change) { return change->kind != ChangeKind::add; });
  let_wait(waiting, changes, resolved, wanted);
}

}  // namespace longline::route
