// SPDX-License-Identifier: MIT
#include "link/backoff.hpp"

#include <algorithm>

namespace longline::link {
namespace {

constexpr Duration kFlapping{30'000};

bool needs_a_person(Errc code) {
  switch (code) {
    case Errc::no_dial_tone:
    case Errc::auth_refused:
    case Errc::login_failed:
    case Errc::script_error:
    case Errc::sim_missing:
    case Errc::roaming_refused:
    case Errc::registration_denied: return true;
    default: return false;
  }
}

/// Nothing was tried, or not to its end.
bool says_nothing(Errc code) {
  switch (code) {
    case Errc::interrupted:
    case Errc::deadline:
    case Errc::port_in_use:
    case Errc::busy:
    case Errc::no_device:
    case Errc::not_a_tty:
    case Errc::not_found:
    case Errc::permission:
    case Errc::config:
    case Errc::usage:
    case Errc::cannot_create:
    case Errc::disk_full:
    case Errc::os:
    case Errc::no_ppp:
    case Errc::io:
    case Errc::software:
    case Errc::unreachable:
    case Errc::outside_hours:
    case Errc::over_budget: return true;
    default: return false;
  }
}

}  // namespace

CallVerdict judge(const CallOutcome& outcome) {
  const std::optional<Error>& error = outcome.error;
  if (error && error->code == Errc::sim_pin_refused) return CallVerdict::for_good;
  if (outcome.was_up) {
    if (outcome.nothing_moved) return CallVerdict::failure;
    const bool dropped = error && !says_nothing(error->code) && error->code != Errc::idle_timeout && error->code != Errc::call_limit;
    return dropped && outcome.up_for < kFlapping ? CallVerdict::failure : CallVerdict::success;
  }
  if (!error || says_nothing(error->code) || error->code == Errc::call_limit) return CallVerdict::neutral;
  return needs_a_person(error->code) ? CallVerdict::person : CallVerdict::failure;
}

BackoffState after_failure(const config::Backoff& backoff, const std::optional<BackoffState>& before, CallVerdict verdict, Error error,
                           Moment now, double jitter) {
  constexpr int kMost = 1'000'000;
  BackoffState state;
  state.failures = std::min(before ? before->failures : 0, kMost - 1) + 1;
  const bool longest = verdict != CallVerdict::failure || state.failures >= backoff.longest / backoff.first;
  const Duration wait = longest ? backoff.longest : state.failures * backoff.first;
  const Duration moved(static_cast<std::int64_t>(std::clamp(jitter, 0.0, 1.0) * static_cast<double>(wait.count()) / 10));
  state.wait = std::clamp(longest ? wait - moved : wait + moved, backoff.first, backoff.longest);
  state.since = std::move(now);
  state.for_good = verdict == CallVerdict::for_good;
  state.error = std::move(error);
  return state;
}

Duration remaining(const BackoffState& state, const config::Backoff& backoff, const Moment& now) {
  const Duration wait = std::clamp(state.wait, Duration(0), backoff.longest);
  Duration left = wait - (now.wall - state.since.wall);
  if (state.since.boot_id == now.boot_id) left = std::min(left, wait - (now.since_boot - state.since.since_boot));
  return std::clamp(left, Duration(0), wait);
}

bool needs_new_start(const BackoffState& state, const Moment& now) {
  return state.since.boot_id != now.boot_id && now.wall < state.since.wall;
}

}  // namespace longline::link
