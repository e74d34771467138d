// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/local_time.hpp"
#include "config/config.hpp"
#include "mail/connector_choice.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

/// What a call of one link would be about.
struct DueLink {
  std::string link;
  std::int64_t messages = 0;             ///< that wait and may be tried now
  std::int64_t bytes = 0;
  std::optional<WallTime> oldest{};      ///< arrival of the oldest of them
  std::int64_t urgent = 0;               ///< how many of them are urgent
  bool retrieve = false;                 ///< mail is to be fetched
  std::vector<std::string> reasons;      ///< why a call is worth it, a clause each; empty: it is not
};
/// {"link","messages","bytes","oldest","urgent","retrieve","reasons"}; oldest is null without messages.
JsonObject to_json(const DueLink& due);

/// Which links a call is worth. Each connector decides for itself: mail for one reached over the LAN never calls, and never keeps
/// another from calling. What a connector could not send makes no link due, nor what waits for a next attempt, for the connector's
/// interval after a failure, or for its hours. Links' own hours and budgets are dialctl's business.
class DueReport {
 public:
  /// `triggers`: the command line's, for each link as a whole; empty: each connector's own. The Config must outlive it.
  DueReport(const config::Config& config, ConnectorStates states, config::DueTriggers triggers, WallTime now, LocalClock clock);
  void add(const QueuedMessage& message);
  /// Those that are due, in the order of the configuration.
  std::vector<DueLink> links() const;
  /// Whether mail is to be fetched through this connector now.
  bool retrieval_due(const config::Connector& connector) const;

 private:
  struct Waiting {
    std::int64_t messages = 0, bytes = 0, urgent = 0;
    std::optional<WallTime> oldest{};
    void add(const Waiting& other);
  };
  bool rests(const config::Connector& connector, std::string_view domain) const;
  std::vector<std::string> reasons(const config::DueTriggers& triggers, const Waiting& waiting) const;

  const config::Config& config_;
  ConnectorStates states_;
  config::DueTriggers triggers_;
  WallTime now_;
  LocalClock clock_;
  LocalTime local_now_;
  ConnectorChoice choice_;
  std::map<const config::Connector*, Waiting> waiting_;
};

}  // namespace longline::mail
