// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "route/network_index.hpp"
#include "route/plan.hpp"

namespace longline::route {

/// A change that sends a part of a network of our own another way, and that network.
struct Overlap {
  const Change* change = nullptr;
  const KernelRoute* own = nullptr;
};
/// Changes that bring a route into a network that an interface of this host is on, over another interface: its hosts
/// would be looked for there (Q171001). Routes to single hosts are left alone (callers with an address of our network have
/// them), and those that drop or refuse packets say what they mean.
std::vector<Overlap> overlaps(const std::vector<Change>& changes, const KernelState& kernel);

/// Changes whose gateway, as far as the tables tell, nothing would reach when all is done: no network of its interface, or
/// of any when the route names none, covers it. The kernel has the last word.
std::vector<const Change*> doubtful_gateways(const std::vector<Change>& changes, const Resolved& wanted, const KernelState& kernel);

/// A network of an interface that is down has the gateway in it: the route can wait for that interface.
bool is_on_interface_that_is_down(const IpAddress& gateway, const std::vector<InterfaceAddress>& addresses, const Interfaces& interfaces);

/// Takes these of the changes out: their routes wait. `these` point into `changes`.
void let_wait(const std::vector<const Change*>& these, std::vector<Change>& changes, Resolved& resolved, const std::vector<Wanted>& wanted);

/// For whoever shows what has become of routes that were accepted once: those to be added whose gateway nothing reaches wait.
void let_unreachable_wait(std::vector<Change>& changes, Resolved& resolved, const std::vector<Wanted>& wanted, const KernelState& kernel);

}  // namespace longline::route
