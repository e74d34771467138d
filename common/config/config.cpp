// SPDX-License-Identifier: MIT
#include "config/config.hpp"

namespace longline::config {

const Link* Config::find_link(std::string_view name) const {
  for (const Link& link : links) {
    if (link.name == name) return &link;
  }
  return nullptr;
}

const Connector* Config::find_connector(std::string_view name) const {
  for (const Connector& connector : connectors) {
    if (connector.name == name) return &connector;
  }
  return nullptr;
}

std::vector<std::string> Config::link_names() const {
  std::vector<std::string> names;
  for (const Link& link : links) names.push_back(link.name);
  return names;
}

std::vector<std::string> Config::connector_names() const {
  std::vector<std::string> names;
  for (const Connector& connector : connectors) names.push_back(connector.name);
  return names;
}

}  // namespace longline::config
