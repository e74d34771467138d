// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "route/network_index.hpp"
#include "route/route_text.hpp"
#include "route/rtnetlink.hpp"

namespace longline::route {

/// What is known of a link.
struct LinkState {
  std::string interface{};      ///< its network interface while it is up; empty: not known
  std::uint32_t index = 0;      ///< that interface's index, which no other ever gets; 0: not known
  bool down = false;            ///< known to be down: an interface of its name does not count
  bool unreachable = false;     ///< its calls failed and it is backing off: routes on it are hidden
};
using LinkStates = std::map<std::string, LinkState, std::less<>>;

/// The kernel's interfaces, found by name and by index.
class Interfaces {
 public:
  void add(Interface interface);
  const Interface* named(std::string_view name) const;
  const Interface* numbered(std::uint32_t index) const;

 private:
  std::map<std::string, Interface, std::less<>> by_name_;
  std::map<std::uint32_t, std::string> names_;
};

/// The kernel's side: everything that a plan is made against.
struct KernelState {
  Interfaces interfaces{};
  std::vector<KernelRoute> routes{};   ///< without the local table and without cache entries
  std::string buffer{};                ///< what the routes' `raw` look into

  KernelState() = default;
  KernelState(KernelState&&) = default;
  KernelState& operator=(KernelState&&) = default;
};

/// A wanted route, put into the kernel's terms.
struct Target {
  KernelRoute route{};
  const Wanted* wanted = nullptr;
  bool stand_in = false;               ///< the unreachable route of `fail-fast`
};

enum class Readiness { ready, waiting, hidden };

struct Resolved {
  std::vector<Target> targets{};
  std::vector<Readiness> readiness{};  ///< one for each wanted route, in order
  std::vector<std::string> notes{};    ///< for a human, each said once
};

/// A unicast route without a gateway, and no default route: its addresses can be gateways.
bool is_on_link(const KernelRoute& route);

/// Finds the interface of every route and leaves out those whose interface is not there or not up. A link's interface
/// is the one in `links`, else one that bears the link's name (pppd's `ifname`). On a point-to-point interface a
/// gateway means nothing: on a link it is left out, and on a device where it could not be reached.
/// `wanted` must outlive the result.
Resolved resolve(const std::vector<Wanted>& wanted, const KernelState& kernel, const LinkStates& links);

/// Networks that are reached without a gateway, by interface; the values are positions in `routes`.
NetworkIndex networks_on_link(const std::vector<KernelRoute>& routes);

/// Whom a route waits for: "interface ppp0", "link isp", "gateway 10.0.0.2".
std::string waits_for(const Route& route);

}  // namespace longline::route
