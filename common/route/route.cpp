// SPDX-License-Identifier: MIT
#include "route/route.hpp"

#include <fmt/format.h>

namespace longline::route {
namespace {

std::string destination(const Prefix& to) {
  if (to.address.family == Family::ipv4 && to.length == 0) return "default";
  return to_string(to);
}

std::optional<std::string> unless_empty(std::string text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

std::string_view to_string(RouteKind kind) {
  switch (kind) {
    case RouteKind::unicast: return "unicast";
    case RouteKind::blackhole: return "blackhole";
    case RouteKind::unreachable: return "unreachable";
    case RouteKind::prohibit: return "prohibit";
  }
  return "unicast";
}

std::uint32_t effective_metric(const Route& route) {
  return route.metric == 0 && route.to.address.family == Family::ipv6 ? kIpv6DefaultMetric : route.metric;
}

std::string to_string(const Route& route) {
  std::string out;
  if (route.kind != RouteKind::unicast) out += fmt::format("{} ", to_string(route.kind));
  out += destination(route.to);
  if (route.via) out += " via " + to_string(route.via);
  if (!route.device.empty()) out += " dev " + route.device;
  if (!route.link.empty()) out += " link " + route.link;
  if (route.metric != 0) out += fmt::format(" metric {}", route.metric);
  if (route.table != kMainTable) out += fmt::format(" table {}", route.table);
  if (route.source) out += " src " + to_string(route.source);
  if (route.mtu != 0) out += fmt::format(" mtu {}", route.mtu);
  if (route.onlink) out += " onlink";
  if (route.fail_fast) out += " fail-fast";
  return out;
}

JsonObject to_json(const Route& route) {
  JsonObject out;
  out.set("to", destination(route.to))
      .set("family", route.to.address.family == Family::ipv6 ? "inet6" : "inet")
      .set("kind", to_string(route.kind))
      .set("via", unless_empty(to_string(route.via)))
      .set("dev", unless_empty(route.device))
      .set("link", unless_empty(route.link))
      .set("metric", std::int64_t{effective_metric(route)})
      .set("table", std::int64_t{route.table})
      .set("src", unless_empty(to_string(route.source)))
      .set("mtu", route.mtu == 0 ? std::nullopt : std::optional<std::int64_t>(route.mtu))
      .set("onlink", route.onlink)
      .set("fail_fast", route.fail_fast);
  return out;
}

}  // namespace longline::route
