// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.hpp"
#include "config/config.hpp"
#include "mail/connector_choice.hpp"
#include "mail/receipt.hpp"
#include "sys/flush_batch.hpp"
#include "sys/loop.hpp"
#include "sys/peer_session.hpp"
#include "sys/signals.hpp"
#include "sys/spool.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// What a flush is about: one link, one connector, these messages, or (nothing set) everything.
struct FlushScope {
  std::string link;
  std::string connector;
  std::vector<std::string> ids;
};

struct FlushSettings {
  FlushScope scope;
  bool wait = false;                    ///< for another flush that has the line
  std::optional<Duration> deadline;
  std::string host;                     ///< our mail name
};

/// Who wants to know how it goes.
class FlushObserver {
 public:
  virtual ~FlushObserver() = default;
  /// Once a message, when nothing more will happen to it in this flush.
  virtual void on_receipt(const mail::Receipt&) {}
  /// Bytes on the line of this session so far; messages done and taken on.
  virtual void on_progress(std::uint64_t /*bytes_out*/, int /*done*/, int /*total*/) {}
  virtual bool wants_trace() const { return false; }
  virtual void on_trace(bool /*received*/, std::string_view /*bytes*/) {}
  /// Something that does not change the outcome.
  virtual void on_note(const std::string&) {}
};

/// `mtaq flush`: sends what the snapshot holds, link after link, over lines that are up already; never dials. Each link (or
/// LAN connector) is sent to by one flush at a time; the others follow its receipts. SIGTERM and SIGINT end it within
/// seconds, with everything that has a reply recorded.
class QueueFlush {
 public:
  QueueFlush(Spool& spool, const config::Config& config, const StatePaths& paths, EventSink& events, FlushSettings settings,
             FlushObserver& observer);
  /// The judgement is the caller's. Errors: a name or id that is not there; the spool failed.
  Result<mail::FlushTally> run();

 private:
  Result<void> take_snapshot();
  bool in_scope(const config::Connector& connector) const;
  Result<void> run_lane(const std::string& lane);
  Result<void> send_lane(FlushBatch& batch);
  Result<void> send_hop(FlushBatch& batch, const FlushHop& hop);
  Result<void> follow(FlushBatch& batch, const std::string& lane);
  void on_end_of_time(Errc cause);
  Error cut_short() const;
  void account(const mail::Receipt& receipt, bool in_snapshot);

  Spool& spool_;
  const config::Config& config_;
  const StatePaths& paths_;
  EventSink& events_;
  FlushSettings settings_;
  FlushObserver& observer_;
  mail::ConnectorChoice choice_;
  mail::FlushTally tally_;
  Loop loop_;
  Loop::Registration patience_;   // after a signal
  std::int64_t receipts_before_ = 0;
  std::vector<std::string> lanes_;                                  // in the order of the configuration
  std::map<std::string, std::vector<mail::QueuedMessage>> snapshot_;  // by lane
  PeerSession* session_ = nullptr;
  std::optional<TimePoint> end_;   // of the time that was given
  std::optional<Errc> ended_by_;
};

}  // namespace longline::sys
