// SPDX-License-Identifier: MIT
// What is looked for before anything is sent.
#include <fmt/format.h>

#include <cerrno>
#include <set>

#include "base/text.hpp"
#include "route/check.hpp"
#include "route/precheck.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/login/login_peer.hpp"
#include "sys/network/route_table.hpp"

namespace longline::routeadd {
namespace {

constexpr std::size_t kMostLines = 10;

/// " (and 2 more: lines 7, 9)"
std::string and_more(const std::vector<const route::Change*>& rest) {
  if (rest.empty()) return "";
  std::string lines;
  for (std::size_t i = 0; i < rest.size() && i < kMostLines; ++i) {
    lines += fmt::format("{}{}", i == 0 ? "" : ", ", rest[i]->then->wanted->line);
  }
  return fmt::format(" (and {} more: line{} {}{})", rest.size(), rest.size() == 1 ? "" : "s", lines, rest.size() > kMostLines ? ", …" : "");
}

Result<void> refuse_overlaps(const std::vector<route::Change>& changes, const route::ParsedRoutes& parsed, const route::KernelState& kernel) {
  const std::vector<route::Overlap> found = route::overlaps(changes, kernel);
  if (found.empty()) return {};
  std::vector<const route::Change*> rest;
  for (std::size_t i = 1; i < found.size(); ++i) rest.push_back(found[i].change);
  const route::Target& target = *found.front().change->then;
  const route::Interface* own = kernel.interfaces.numbered(found.front().own->interface);
  Error error(Errc::route_refused,
              fmt::format("'{}' overlaps {}, the network of our own interface {}: its hosts would be looked for elsewhere{}",
                          escape(to_string(target.wanted->route)), to_string(found.front().own->to), own == nullptr ? "" : escape(own->name),
                          and_more(rest)),
              Stage::route);
  error.where = place(*target.wanted, parsed);
  return std::move(error).with_hint("nothing was changed; correct the network, or --force if it is meant");
}

struct Unreachable {
  const route::Change* change = nullptr;
  sys::Verdict verdict{};
};

/// Gateways that the tables do not reach, and that the kernel refuses when it is asked.
Result<std::vector<Unreachable>> unreachable_gateways(const std::vector<route::Change>& changes, const route::Resolved& resolved,
                                                      const route::KernelState& kernel) {
  std::vector<Unreachable> out;
  const std::vector<const route::Change*> doubtful = route::doubtful_gateways(changes, resolved, kernel);
  std::vector<const route::KernelRoute*> routes;
  for (const route::Change* change : doubtful) routes.push_back(&change->then->route);
  if (routes.empty()) return out;
  LONGLINE_TRY(const std::vector<sys::Verdict> verdicts, sys::try_routes(routes));
  for (const sys::Verdict& verdict : verdicts) out.push_back({doubtful[verdict.route], verdict});
  return out;
}

Result<void> refuse_unreachable_gateways(const std::vector<route::Change>& changes, const route::Resolved& resolved,
                                         const route::ParsedRoutes& parsed, const route::KernelState& kernel) {
  LONGLINE_TRY(const std::vector<Unreachable> found, unreachable_gateways(changes, resolved, kernel));
  if (found.empty()) return {};
  std::vector<const route::Change*> rest;
  for (std::size_t i = 1; i < found.size(); ++i) rest.push_back(found[i].change);
  const route::Target& target = *found.front().change->then;
  const route::Interface* interface = kernel.interfaces.numbered(target.route.interface);
  Error error(Errc::route_refused,
              fmt::format("the kernel refuses '{}': {}{}", escape(to_string(target.wanted->route)),
                          kernel_words(found.front().verdict.error, found.front().verdict.text), and_more(rest)),
              Stage::route);
  error.where = place(*target.wanted, parsed);
  return std::move(error).with_hint(fmt::format("nothing was changed; no network{} has the gateway {} in it: correct it, add a route to it{}",
                                                interface == nullptr ? "" : " of " + escape(interface->name), to_string(target.route.via),
                                                interface == nullptr ? ", or name its 'dev' with 'onlink'" : ", or say 'onlink'"));
}

/// An operator at the far end of a line must not cut himself off.
Result<void> keep_the_way_to_the_operator(const std::vector<route::Change>& changes, const route::ParsedRoutes& parsed,
                                          const route::Interfaces& interfaces) {
  const std::optional<route::IpAddress> peer = route::parse_address(sys::login_peer());
  if (!peer) return {};
  const Result<sys::Lookup> lookup = sys::lookup_route(*peer, {});
  if (!lookup || !lookup->entry) return {};
  const route::Change* change = route::change_of_way(*peer, *lookup->entry, changes);
  if (change == nullptr) return {};
  Error error(Errc::route_refused,
              fmt::format("'{}' would change the way to {}, from where you are logged in", to_string(*change, interfaces), to_string(*peer)),
              Stage::route);
  if (change->then != nullptr) error.where = place(*change->then->wanted, parsed);
  return std::move(error).with_hint("nothing was changed; --force does it all the same, and --force --confirm 60s undoes it if you are cut off");
}

}  // namespace

Result<void> let_unreachable_wait(std::vector<route::Change>& changes, route::Resolved& resolved, const route::ParsedRoutes& parsed,
                                  const route::KernelState& kernel, const sys::StatePaths* paths) {
  LONGLINE_TRY(const std::vector<Unreachable> found, unreachable_gateways(changes, resolved, kernel));
  if (found.empty()) return {};
  std::set<std::string> in_force;
  std::vector<route::InterfaceAddress> addresses;
  if (paths != nullptr) {
    LONGLINE_TRY(addresses, sys::read_addresses());
    const Result<route::ParsedRoutes> accepted = routes_in_force(*paths) ? read_routes_in_force(*paths) : route::ParsedRoutes{};
    if (accepted) {
      for (const route::Wanted& wanted : accepted->routes) in_force.insert(to_string(wanted.route));
    }
  }
  std::vector<const route::Change*> waiting;
  for (const Unreachable& one : found) {
    const int error = one.verdict.error;
    if (one.change->kind != route::ChangeKind::add || (error != ENETUNREACH && error != EHOSTUNREACH && error != ENETDOWN)) continue;
    const route::Route& route = one.change->then->wanted->route;
    const bool may_wait = paths == nullptr || in_force.contains(to_string(route)) ||
                          route::is_on_interface_that_is_down(route.via, addresses, kernel.interfaces);
    if (may_wait) waiting.push_back(one.change);
  }
  route::let_wait(waiting, changes, resolved, parsed.routes);
  return {};
}

Result<void> check_changes(const std::vector<route::Change>& changes, const route::Resolved& resolved, const route::ParsedRoutes& parsed,
                           const route::KernelState& kernel, bool force) {
  if (changes.empty()) return {};
  LONGLINE_CHECK(refuse_conflicts(changes, parsed, kernel.interfaces));
  if (!force) LONGLINE_CHECK(refuse_overlaps(changes, parsed, kernel));
  LONGLINE_CHECK(refuse_unreachable_gateways(changes, resolved, parsed, kernel));
  if (!force) LONGLINE_CHECK(keep_the_way_to_the_operator(changes, parsed, kernel.interfaces));
  return {};
}

}  // namespace longline::routeadd
