// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>

#include "base/local_time.hpp"
#include "config/config.hpp"
#include "config/usable_time.hpp"

namespace longline::mail {

/// 2020: a clock that says less has not been set since it had no battery.
constexpr WallTime kFirstPlausibleTime(Duration(1'577'836'800'000));

/// How long mail has waited for a connector, and how long it may: only time within the hours of the connector and of its link counts,
/// so that a weekend without calls expires nothing. The Config must outlive it.
class Patience {
 public:
  Patience(const config::Config& config, LocalClock clock) : config_(&config), clock_(std::move(clock)) {}

  /// Whether a message that arrived then has waited so long. From a time of arrival that cannot be (ahead of now, or before
  /// kFirstPlausibleTime) nothing has waited.
  bool is_over(const config::Connector& connector, WallTime arrived, Duration limit, WallTime now);
  /// When its `expire` will be over; nullopt: not in the next ten years, or its time of arrival is not plausible.
  std::optional<WallTime> expires(const config::Connector& connector, WallTime arrived);

 private:
  config::UsableTime& usable(const config::Connector& connector);
  const config::Config* config_;
  LocalClock clock_;
  std::map<const config::Connector*, config::UsableTime> usable_;
};

}  // namespace longline::mail
