// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "config/config.hpp"
#include "link/call_policy.hpp"
#include "sys/link/ledger.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// What hours, budget, tariff and backoff say about a link now. Reads the ledger, if the entry needs it; touches no port, changes
/// nothing. A ledger that cannot be read counts as empty, and is told in `trouble`.
struct LinkStanding {
  link::Standing standing;
  link::Usage usage;                 ///< only where `with_usage` was asked for, or the entry has a budget
  std::optional<link::BackoffState> backoff{};
  std::optional<Error> trouble{};
};
LinkStanding link_standing(const StatePaths& paths, const config::Link& link, bool urgent = false, bool with_usage = false);

/// May this link be called now? To be asked before its lock is taken and its port is touched. `by_hand` (--now) ends the backoff,
/// and only that. Errc::outside_hours, over_budget, unreachable, sim_pin_refused; stage policy.
struct CallWish {
  bool urgent = false;
  bool by_hand = false;
};
Result<void> may_call(const StatePaths& paths, const config::Link& link, CallWish wish);

}  // namespace longline::sys
