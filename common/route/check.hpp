// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "route/plan.hpp"

namespace longline::route {

/// What the checks know of one link besides its state.
struct LinkFacts {
  std::string name{};
  bool takes_default = false;          ///< default-route = true in its entry
  /// A connector goes over it whose peer compares addresses (X.400), and that binds none itself.
  bool peer_checks_source = false;
};

/// One thing that is wrong, or will be, with what to do about it.
struct Finding {
  std::string code{};      ///< stable: "stolen-default", "several-defaults", "off-link", "shadowed", "own-network", "source-address"
  std::string route{};     ///< the route that it is about
  std::string link{};      ///< may be empty
  std::string message{};
  std::string advice{};
};

struct CheckInput {
  const KernelState& kernel;
  const std::vector<InterfaceAddress>& addresses;
  const std::vector<Wanted>& wanted;
  const LinkStates& links;
  const std::vector<LinkFacts>& facts;
};

/// Q171001: a default route that a link took, more than one default route; gateways off-link; routes of ours that a
/// better foreign one hides; routes that lead to our own networks down the line; Q255991: the source address that a
/// peer of a dual-homed host would see.
std::vector<Finding> check_routes(const CheckInput& input);

/// The change that would take the way to `peer` (whom the operator is logged in from) elsewhere: `entry` is the route that
/// carries packets to it now. Null when the way stays.
const Change* change_of_way(const IpAddress& peer, const KernelRoute& entry, const std::vector<Change>& changes);

/// The link whose interface this is; "" for none.
std::string link_of(const Interface& interface, const LinkStates& links);

/// The wanted route, not in the kernel now, that would carry packets to the address if its link or interface were up;
/// null when there is none, or `now` (the route that carries them, may be null) would still be better.
const Wanted* better_if_up(const IpAddress& address, const std::vector<Wanted>& wanted, const std::vector<Readiness>& readiness,
                           const KernelRoute* now);

}  // namespace longline::route
