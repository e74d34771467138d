// SPDX-License-Identifier: MIT
// Plans and kernel routes in words.
#include <fmt/format.h>

#include "base/text.hpp"
#include "route/plan.hpp"

namespace longline::route {
namespace {

std::string_view name_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::add: return "add";
    case ChangeKind::remove: return "remove";
    case ChangeKind::replace: return "replace";
    case ChangeKind::conflict: return "conflict";
  }
  return "add";
}

std::string target_text(const Target& target, const Interfaces& interfaces) {
  if (target.stand_in) return to_string(describe(target.route, interfaces));
  return to_string(target.wanted->route);
}

}  // namespace

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {  // /etc/iproute2/rt_protos
    case 0: return "unspec";
    case 1: return "redirect";
    case 2: return "kernel";
    case 3: return "boot";
    case 4: return "static";
    case 9: return "ra";
    case 11: return "zebra";
    case 12: return "bird";
    case 16: return "dhcp";
    case 18: return "keepalived";
    case 42: return "babel";
    case 186: return "bgp";
    case 187: return "isis";
    case 188: return "ospf";
    case 189: return "rip";
    case 192: return "eigrp";
    default: return std::to_string(protocol);
  }
}

bool can_be_said(const KernelRoute& route) {
  const bool kind = route.type == rt::kUnicast || route.type == rt::kBlackhole || route.type == rt::kUnreachable || route.type == rt::kProhibit;
  const bool next_hop = route.type != rt::kUnicast || route.via || route.interface != 0;
  return kind && next_hop && !route.other && route.tos == 0;
}

Route describe(const KernelRoute& route, const Interfaces& interfaces) {
  Route out;
  out.to = route.to;
  switch (route.type) {
    case rt::kBlackhole: out.kind = RouteKind::blackhole; break;
    case rt::kUnreachable: out.kind = RouteKind::unreachable; break;
    case rt::kProhibit: out.kind = RouteKind::prohibit; break;
    default: break;
  }
  out.via = route.via;
  if (out.kind == RouteKind::unicast && route.interface != 0) {
    const Interface* interface = interfaces.numbered(route.interface);
    out.device = interface == nullptr ? fmt::format("if{}", route.interface) : interface->name;
  }
  out.metric = route.to.address.family == Family::ipv6 && route.metric == kIpv6DefaultMetric ? 0 : route.metric;
  out.table = route.table;
  out.source = route.source;
  out.mtu = route.mtu;
  out.onlink = route.onlink;
  return out;
}

std::string to_string(const KernelRoute& route, const Interfaces& interfaces) {
  std::string out = to_string(describe(route, interfaces));
  if (!route.is_own()) out += " proto " + protocol_name(route.protocol);
  return escape(out);
}

std::string to_string(const Change& change, const Interfaces& interfaces) {
  switch (change.kind) {
    case ChangeKind::add: return "+ " + escape(target_text(*change.then, interfaces));
    case ChangeKind::remove: return "- " + to_string(*change.now, interfaces);
    case ChangeKind::replace:
      return fmt::format("~ {} (was {})", escape(target_text(*change.then, interfaces)), to_string(*change.now, interfaces));
    case ChangeKind::conflict:
      return fmt::format("! {} (taken by {})", escape(target_text(*change.then, interfaces)), to_string(*change.now, interfaces));
  }
  return "";
}

JsonObject to_json(const Change& change, const Interfaces& interfaces) {
  Route route = change.then == nullptr || change.then->stand_in
                    ? describe(change.then == nullptr ? *change.now : change.then->route, interfaces)
                    : change.then->wanted->route;
  JsonObject out;
  out.set("change", name_of(change.kind)).set("route", to_string(route)).merge(to_json(route));
  const bool has_now = change.kind == ChangeKind::replace || change.kind == ChangeKind::conflict;
  if (has_now) out.set("now", to_string(*change.now, interfaces));
  else out.set_null("now");
  out.set("stand_in", change.then != nullptr && change.then->stand_in);
  return out;
}

}  // namespace longline::route
