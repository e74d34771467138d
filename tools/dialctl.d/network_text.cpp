// SPDX-License-Identifier: MIT
#include "dialctl.d/network_text.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "link/ppp_plan.hpp"
#include "route/route_text.hpp"
#include "sys/config_file.hpp"
#include "sys/process.hpp"

namespace longline::tools::dialctl {
namespace {

std::vector<std::string> pppd_words(const config::Link& link) {
  link::PppRole role;
  role.host = sys::host_name();
  return link::plan_ppp(link, role, Secret()).argv;
}

/// The routes of the routes file that live on the link; none where the file cannot be read: routeadd says why.
std::vector<std::string> routes_of(const World& world, const config::Link& link) {
  const auto read = [](const std::string& path) { return sys::read_file(path, route::kMostBytes); };
  Result<std::string> text = read(world.paths.routes);
  std::vector<std::string> out;
  if (!text) return out;
  for (const route::Wanted& wanted : route::parse_routes(world.paths.routes, std::move(*text), read).routes) {
    if (wanted.route.link == link.name) out.push_back(to_string(wanted.route));
  }
  return out;
}

std::string default_route_words(const config::Link& link) {
  switch (link.default_route) {
    case config::DefaultRoute::none: return "stays as it is";
    case config::DefaultRoute::beside: return fmt::format("one through the link, metric {}, beside those that are there", link.default_route_metric);
    case config::DefaultRoute::replace: return "the link's alone; those that are there come back afterwards";
  }
  return "";
}

}  // namespace

std::string network_plan(const World& world, const config::Link& link) {
  if (link.network != config::Network::ppp) return "";
  std::string words;
  for (const std::string& word : pppd_words(link)) words += (words.empty() ? "" : " ") + escape(word);
  std::string out = fmt::format("  pppd      {}; up within {}, or given up\n", words, format_duration(link.network_timeout));
  const std::vector<std::string> routes = routes_of(world, link);
  for (const std::string& route : routes) out += fmt::format("  route     {}\n", escape(route));
  if (routes.empty()) out += "  route     none but the peer's own address\n";
  out += fmt::format("  default   {}\n", default_route_words(link));
  out += fmt::format("  DNS       {}\n", link.dns ? "the peer's name servers, while the link is up" : "stays as it is");
  return out;
}

JsonObject network_plan_json(const World& world, const config::Link& link) {
  JsonObject out;
  if (link.network != config::Network::ppp) return out;
  out.set("pppd", pppd_words(link)).set("network_at_most", static_cast<double>(link.network_timeout.count()) / 1000);
  out.set("routes", routes_of(world, link));
  if (link.default_route == config::DefaultRoute::none) out.set_null("default_route");
  else out.set("default_route", link.default_route == config::DefaultRoute::replace ? "replace" : "beside");
  out.set("dns", link.dns);
  return out;
}

}  // namespace longline::tools::dialctl
