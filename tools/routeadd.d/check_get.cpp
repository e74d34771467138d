// SPDX-License-Identifier: MIT
// check and get: questions about the tables; nothing is changed.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "base/text.hpp"
#include "route/check.hpp"
#include "route/precheck.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/network/route_table.hpp"

namespace longline::routeadd {
namespace {

/// The links of the routes and those of the configuration.
route::LinkStates all_link_states(const std::vector<route::Wanted>& routes, const config::Config& config, const sys::StatePaths& paths) {
  std::vector<std::string> names = config.link_names();
  for (const route::Wanted& wanted : routes) {
    if (!wanted.route.link.empty()) names.push_back(wanted.route.link);
  }
  return sys::link_states(names, &config, paths);
}

Result<route::IpAddress> address_argument(const std::string& text) {
  const std::optional<route::IpAddress> address = route::parse_address(text);
  if (!address) return Error(Errc::usage, fmt::format("'{}' is not an IP address", escape_at_most(text, 80)), Stage::route);
  return *address;
}

std::optional<std::string> unless_empty(std::string text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

Result<ExitStatus> check(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const sys::LoadedConfig config, sys::load_config(paths));
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes_in_force(paths));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  LONGLINE_TRY(const std::vector<route::InterfaceAddress> addresses, sys::read_addresses());
  const route::LinkStates links = all_link_states(parsed.routes, config.config, paths);
  const std::vector<route::LinkFacts> facts = sys::link_facts(config.config);
  const std::vector<route::Finding> findings = route::check_routes({kernel, addresses, parsed.routes, links, facts});
  for (const route::Finding& finding : findings) {
    if (options.common.json) {
      JsonObject out;
      out.set("code", finding.code).set("route", finding.route).set("link", unless_empty(finding.link));
      out.set("message", finding.message).set("advice", finding.advice);
      print_line(out.dump());
    } else if (!options.common.quiet) {
      print_line(fmt::format("{}: {} [{}]", finding.route, finding.message, finding.code));
      print_line("  " + finding.advice);
    }
  }
  return findings.empty() ? ExitStatus::ok : ExitStatus::no;
}

Result<ExitStatus> get(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::IpAddress address, address_argument(options.address));
  route::IpAddress from;
  if (!options.from.empty()) {
    LONGLINE_TRY(from, address_argument(options.from));
    if (from.family != address.family) return Error(Errc::usage, "--from is not of the address's family", Stage::route);
  }
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes_in_force(paths));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  LONGLINE_TRY(const sys::Lookup lookup, sys::lookup_route(address, from));
  const route::LinkStates links = link_states(parsed.routes, paths);
  route::Resolved resolved = route::resolve(parsed.routes, kernel, links);
  std::vector<route::Change> changes = route::plan(resolved, kernel);
  route::let_unreachable_wait(changes, resolved, parsed.routes, kernel);
  const bool goes = lookup.error == 0;
  route::Route way = describe(lookup.way, kernel.interfaces);
  if (from) way.source = from;  // the kernel does not repeat what it was told
  const route::Interface* interface = kernel.interfaces.numbered(lookup.way.interface);
  const std::string link = goes && interface != nullptr ? route::link_of(*interface, links) : "";
  const route::KernelRoute* entry = lookup.entry ? &*lookup.entry : nullptr;
  const route::Wanted* if_up = route::better_if_up(address, parsed.routes, resolved.readiness, entry);
  // EINVAL is what a blackhole answers to the sender.
  const std::string why = goes ? "" : lookup.error == EINVAL ? "dropped in silence" : std::strerror(lookup.error);
  if (options.common.json) {
    JsonObject out;
    out.set("address", to_string(address)).set("reachable", goes).set("reason", unless_empty(why));
    out.set("via", goes ? unless_empty(to_string(way.via)) : std::nullopt).set("dev", goes ? unless_empty(way.device) : std::nullopt);
    out.set("link", unless_empty(link)).set("src", goes ? unless_empty(to_string(way.source)) : std::nullopt);
    out.set("route", entry == nullptr ? std::nullopt : unless_empty(to_string(*entry, kernel.interfaces)));
    out.set("if_up", if_up == nullptr ? std::nullopt : unless_empty(to_string(if_up->route)));
    print_line(out.dump());
  } else if (!options.common.quiet) {
    std::string line = to_string(address);
    if (!goes) line += ": " + why;
    if (goes && way.via) line += " via " + to_string(way.via);
    if (goes && !way.device.empty()) line += " dev " + escape(way.device);
    if (!link.empty()) line += " link " + escape(link);
    if (goes && way.source) line += " src " + to_string(way.source);
    print_line(line);
    if (entry != nullptr) print_line("  by " + to_string(*entry, kernel.interfaces) + (entry->is_own() ? " (ours)" : ""));
    if (if_up != nullptr) {
      const bool any = if_up->route.device.empty() && if_up->route.link.empty();
      print_line(fmt::format("  if {} were {}: {}", escape(route::waits_for(if_up->route)), any ? "in reach" : "up", escape(to_string(if_up->route))));
    }
  }
  return goes ? ExitStatus::ok : ExitStatus::no;
}

}  // namespace longline::routeadd
