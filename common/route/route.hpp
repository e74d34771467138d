// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "route/address.hpp"

namespace longline::route {

/// The protocol number of longline's own routes (rtm_protocol, `ip route … proto 77`). Only routes that carry it are
/// ever changed or removed; every other route is foreign.
inline constexpr std::uint8_t kOwnProtocol = 77;
inline constexpr std::uint32_t kMainTable = 254;
inline constexpr std::uint32_t kIpv6DefaultMetric = 1024;  ///< what the kernel makes of an IPv6 metric 0

enum class RouteKind : std::uint8_t { unicast, blackhole, unreachable, prohibit };
std::string_view to_string(RouteKind kind);

/// A static route as an operator writes it, in the form of `ip route`. At most one of device and link is set.
struct Route {
  Prefix to{};
  RouteKind kind = RouteKind::unicast;
  IpAddress via{};               ///< gateway
  std::string device{};          ///< `dev`: a network interface
  std::string link{};            ///< `link`: a link of the configuration, whose interface comes and goes
  std::uint32_t metric = 0;      ///< lower is preferred; 0: the kernel's default, 0 for IPv4 and 1024 for IPv6
  std::uint32_t table = kMainTable;
  IpAddress source{};            ///< `src`: preferred source address
  std::uint32_t mtu = 0;         ///< bytes; 0: the interface's
  bool onlink = false;           ///< take the gateway's word for being reachable
  bool fail_fast = false;        ///< an unreachable route stands in while this one cannot be used

  bool operator==(const Route&) const = default;
};

std::uint32_t effective_metric(const Route& route);

/// `[KIND] PREFIX [via A] [dev D|link L] …`, parsed back as the same route. `default` for 0.0.0.0/0.
std::string to_string(const Route& route);
/// to, family, kind, via, dev, link, metric (the effective one), table, src, mtu, onlink, fail_fast: null where absent.
JsonObject to_json(const Route& route);

}  // namespace longline::route
