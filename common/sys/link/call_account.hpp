// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "base/local_time.hpp"
#include "config/config.hpp"
#include "link/backoff.hpp"
#include "link/call_machine.hpp"
#include "sys/link/ledger.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// The books of one call: what the ledger learns of it, how long the call may last, and what its end means for the next one.
/// Never in the way of the call: a ledger that cannot be read or written is said once, in the event ledger.failed, and the call goes
/// on without it.
class CallAccount {
 public:
  CallAccount(config::Link link, const StatePaths& paths, EventSink& events);

  /// One that reaches nobody is followed by another soon, and says nothing about the link yet.
  void more_rounds_follow() { more_rounds_ = true; }
  /// The call starts.
  void begin();
  /// Something changed, or a minute is over: the ledger learns of it, so that the minutes of a call that is killed count.
  void update(const link::CallFacts& facts, TimePoint now, std::int64_t due, std::int64_t moved);
  /// When the call must end by hours and budget; to be asked with each update.
  std::optional<link::MustEnd> must_end(const link::CallFacts& facts, TimePoint now, bool urgent);
  /// The call is over. Success resets the backoff, failure makes it longer.
  void end(const link::CallFacts& facts, TimePoint now, const std::optional<Error>& error, std::optional<TimePoint> up_since,
           std::int64_t due, std::int64_t moved);

  static constexpr Duration kEvery{60'000};

 private:
  CallFigures figures(const link::CallFacts& facts, TimePoint now, std::int64_t due, std::int64_t moved);
  void note(Error error);
  void settle_backoff(const link::CallOutcome& outcome);

  config::Link link_;
  std::string path_;
  EventSink& events_;
  LocalClock clock_;
  std::optional<Ledger> ledger_;
  bool writable_ = false;
  std::int64_t id_ = 0;
  std::optional<WallTime> connected_;
  bool more_rounds_ = false;
  bool failure_told_ = false;
};

}  // namespace longline::sys
