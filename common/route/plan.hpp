// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "route/resolve.hpp"

namespace longline::route {

enum class ChangeKind { add, remove, replace, conflict };

/// One difference between what is wanted and what the kernel has. The pointers look into the Resolved and the
/// KernelState that the plan was made from.
struct Change {
  ChangeKind kind = ChangeKind::add;
  const Target* then = nullptr;         ///< null for remove
  const KernelRoute* now = nullptr;     ///< null for add; the foreign route for conflict
};

/// wanted − present: what makes the kernel's own routes (protocol 77) those that are wanted. Foreign routes are never
/// removed or replaced; one in the way of a wanted route is a conflict. In the order in which the kernel must be told:
/// own reject routes go first (they may hide a gateway), then routes without a gateway come, then those with one, and
/// last the others go, so that a route that only changes its metric is never absent.
std::vector<Change> plan(const Resolved& wanted, const KernelState& kernel);

/// Does the kernel's route do what the target asks for?
bool satisfies(const KernelRoute& present, const KernelRoute& target);

/// One message to the kernel.
struct Step {
  bool add = false;
  const KernelRoute* route = nullptr;
  const Change* cause = nullptr;
};
/// A changed route is deleted and added again in one send: NLM_F_REPLACE would take a foreign route as well.
/// Conflicts have no steps.
std::vector<Step> steps(const std::vector<Change>& changes);
/// What undoes the first `count` steps, in the order in which it must be done.
std::vector<Step> undo(const std::vector<Step>& steps, std::size_t count);
void encode(std::string& out, const Step& step);

/// Has Route words for all that the kernel's route is?
bool can_be_said(const KernelRoute& route);
/// A kernel's route in the words of Route; what Route cannot say is left out. `interfaces` gives the device its name.
Route describe(const KernelRoute& route, const Interfaces& interfaces);
/// describe() as text, with the protocol of a foreign route behind it: "10.0.0.0/8 via 10.9.9.9 dev eth0 proto static".
std::string to_string(const KernelRoute& route, const Interfaces& interfaces);
std::string protocol_name(std::uint8_t protocol);

/// "+ ROUTE", "- ROUTE", "~ ROUTE (was ROUTE)", "! ROUTE (taken by ROUTE)", escaped, without a newline.
std::string to_string(const Change& change, const Interfaces& interfaces);
/// {"change":"add|remove|replace|conflict","route",…,"now"}
JsonObject to_json(const Change& change, const Interfaces& interfaces);

}  // namespace longline::route
