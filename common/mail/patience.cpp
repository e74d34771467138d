// SPDX-License-Identifier: MIT
#include "mail/patience.hpp"

namespace longline::mail {

config::UsableTime& Patience::usable(const config::Connector& connector) {
  const auto known = usable_.find(&connector);
  if (known != usable_.end()) return known->second;
  const config::Link* link = config_->find_link(connector.link);
  return usable_.emplace(&connector, config::UsableTime(link == nullptr ? std::vector<config::Hours>() : link->hours, connector.hours, clock_))
      .first->second;
}

bool Patience::is_over(const config::Connector& connector, WallTime arrived, Duration limit, WallTime now) {
  // Usable time is at most all of it: nearly every question ends here.
  if (arrived < kFirstPlausibleTime || now - arrived < limit || arrived >= now) return false;
  return usable(connector).between(arrived, now) >= limit;
}

std::optional<WallTime> Patience::expires(const config::Connector& connector, WallTime arrived) {
  if (arrived < kFirstPlausibleTime) return std::nullopt;
  return usable(connector).after(arrived, connector.expire);
}

}  // namespace longline::mail
