// SPDX-License-Identifier: MIT
#include "mail/connector_state.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr Duration kLongestRest{4 * 3'600'000};

Duration rest(Duration interval, int retries) {
  const std::int64_t times = std::clamp(retries, 1, 1'000'000);
  return std::max(interval, std::min(kLongestRest, Duration(interval.count() * times)));
}

bool open_spent(const ConnectorState& state, const config::Connector& connector) { return state.open_failures > connector.max_open_retries; }

bool transfer_spent(const ConnectorState& state, const config::Connector& connector) {
  return state.transfer_failures > connector.max_transfer_retries;
}

}  // namespace

std::string state_key(const config::Connector& connector, std::string_view domain) {
  return connector.host == "mx" ? connector.name + "\t" + to_lower(domain) : connector.name;
}

void note_open_failure(ConnectorState& state, const config::Connector& connector, std::string reason, WallTime now) {
  ++state.open_failures;
  state.reason = std::move(reason);
  state.next_open = now + (open_spent(state, connector) ? rest(connector.open_interval, connector.max_open_retries) : connector.open_interval);
}

void note_broken_transfer(ConnectorState& state, const config::Connector& connector, std::string reason, WallTime now) {
  // It could be opened.
  state.open_failures = 0;
  ++state.transfer_failures;
  state.reason = std::move(reason);
  state.next_open = now + (transfer_spent(state, connector) ? rest(connector.transfer_interval, connector.max_transfer_retries)
                                                            : connector.transfer_interval);
}

bool note_success(ConnectorState& state) {
  const bool changes = state.in_trouble() || state.next_open || !state.reason.empty();
  state.open_failures = state.transfer_failures = 0;
  state.next_open.reset();
  state.reason.clear();
  return changes;
}

bool is_resting(const ConnectorState& state, const config::Connector& connector, WallTime now) {
  if (!state.next_open || *state.next_open <= now) return false;
  const Duration longest = std::max(rest(connector.open_interval, connector.max_open_retries),
                                    rest(connector.transfer_interval, connector.max_transfer_retries));
  return *state.next_open - now <= longest;
}

bool is_spent(const ConnectorState& state, const config::Connector& connector, WallTime now) {
  return (open_spent(state, connector) || transfer_spent(state, connector)) && is_resting(state, connector, now);
}

}  // namespace longline::mail
