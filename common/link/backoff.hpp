// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "config/policy.hpp"

namespace longline::link {

/// How a call ended, as the backoff sees it.
struct CallOutcome {
  std::optional<Error> error{};
  bool was_up = false;
  Duration up_for{};              ///< from up to the end
  bool nothing_moved = false;     ///< mail was due, none moved
};

enum class CallVerdict {
  success,     ///< resets the backoff
  neutral,     ///< says nothing about the link: broken off by somebody, the port in use, the configuration wrong
  failure,     ///< the next wait is longer
  person,      ///< somebody should look at it: the longest wait at once
  for_good,    ///< another try does harm: waits for a person
};
/// A link that comes up and drops within half a minute has failed, whatever it moved.
CallVerdict judge(const CallOutcome& outcome);

/// A moment by both clocks: the calendar's, which may be wrong and be put right, and the one that counts from boot.
struct Moment {
  WallTime wall{};
  Duration since_boot{};
  std::string boot_id{};
};

/// A link that failed, and for how long it is left alone. Persistent: sys/link/ledger.hpp.
struct BackoffState {
  int failures = 0;               ///< in a row
  Moment since{};                 ///< of the last failure
  Duration wait{};                ///< from then on
  bool for_good = false;
  Error error{Errc::unreachable, ""};
};

/// The state after one more failure. As RRAS does it the wait grows by the first one each time: 10 min, 20, 30, …, to the longest.
/// `jitter`, 0 to 1, moves it by up to a tenth: up, and down from the longest, so that it stays within the configured range.
BackoffState after_failure(const config::Backoff& backoff, const std::optional<BackoffState>& before, CallVerdict verdict, Error error,
                           Moment now, double jitter);

/// How long the link is still left alone; zero: it may be called. Never more than the configuration allows now, and the shorter
/// of what the two clocks say: a calendar that jumps must not make a site dark.
Duration remaining(const BackoffState& state, const config::Backoff& backoff, const Moment& now);
/// The calendar went back behind the failure, across a reboot: nobody knows how long ago it was. The wait is to start again.
bool needs_new_start(const BackoffState& state, const Moment& now);

}  // namespace longline::link
