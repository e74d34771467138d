// SPDX-License-Identifier: MIT
// What ends a call that would go on: hours and budget, idle, max-call.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "link/call_machine.hpp"
#include "link/tariff.hpp"

namespace longline::link {

std::optional<TimePoint> CallMachine::limit() const {
  if (state_ == LinkState::down || state_ == LinkState::closing) return std::nullopt;
  const config::Link& link = options_.link;
  std::optional<TimePoint> when;
  const auto at_most = [&](TimePoint at) { when = std::min(when.value_or(at), at); };
  if (must_end_) at_most(must_end_->at);
  if (facts_.started) at_most(*facts_.started + link.max_call);
  if (state_ == LinkState::up) at_most(idle_end(link.tariff, link.idle, *facts_.started, *last_traffic_));
  return when;
}

bool CallMachine::end_at_limit(TimePoint now) {
  const std::optional<TimePoint> at = limit();
  if (!at || now < *at) return false;
  const config::Link& link = options_.link;
  if (must_end_ && now >= must_end_->at) {
    hang_up(std::exchange(must_end_, std::nullopt)->why, now);
  } else if (now >= *facts_.started + link.max_call) {
    hang_up(Error(Errc::call_limit, fmt::format("the call lasted {}: hung up (max-call)", format_duration(link.max_call)), Stage::policy), now);
  } else if (session_over_ || nobody_waits_) {
    hang_up(std::nullopt, now);
  } else {
    hang_up(Error(Errc::idle_timeout, fmt::format("no traffic for {}: hung up (idle)", format_duration(link.idle)), Stage::transfer), now);
  }
  return true;
}

}  // namespace longline::link
