// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "config/config.hpp"

namespace longline::mail {

/// How a connector has fared lately; kept in the spool. A connector with host "mx" has one for each domain that made trouble.
struct ConnectorState {
  int open_failures = 0;                  ///< openings that failed, in a row
  int transfer_failures = 0;              ///< sessions that broke off with nothing moved, in a row
  std::optional<WallTime> next_open{};    ///< `due` waits for it; a flush does not
  std::string reason;                     ///< of the last failure, escaped
  std::optional<WallTime> retrieved{};    ///< a retrieval is due an `every` after it
  bool in_trouble() const { return open_failures > 0 || transfer_failures > 0; }
};
using ConnectorStates = std::map<std::string, ConnectorState, std::less<>>;

/// The name under which a connector's state for mail to this domain is kept.
std::string state_key(const config::Connector& connector, std::string_view domain);

/// Another failure: the peer could not be reached (no route, DNS, refused, timeout), or the session broke off and nothing had moved.
void note_open_failure(ConnectorState& state, const config::Connector& connector, std::string reason, WallTime now);
void note_broken_transfer(ConnectorState& state, const config::Connector& connector, std::string reason, WallTime now);
/// Something moved. Whether that changed anything.
bool note_success(ConnectorState& state);

/// Its retries are used up: mail takes the connector of the next cost, if there is one, until this one has rested: its interval times
/// its retries. Then it is tried again; another failure, another rest.
bool is_spent(const ConnectorState& state, const config::Connector& connector, WallTime now);
/// No call is worth making for it yet: its interval, or its rest, is not over. A time further ahead than it can be (the clock was
/// wrong when it was set) counts as over.
bool is_resting(const ConnectorState& state, const config::Connector& connector, WallTime now);

}  // namespace longline::mail
