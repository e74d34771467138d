// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.hpp"
#include "config/config.hpp"
#include "mail/connector_choice.hpp"
#include "mail/flush_allowance.hpp"
#include "mail/flush_progress.hpp"
#include "mail/receipt.hpp"
#include "mail/receipt_book.hpp"
#include "sys/flush/flush_batch.hpp"
#include "sys/flush/flush_session.hpp"
#include "sys/flush/opened_session.hpp"
#include "sys/flush/peer_connection.hpp"
#include "sys/loop.hpp"
#include "sys/signals.hpp"
#include "sys/spool/spool.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// What a flush is about: one link, one connector, these messages, or (nothing set) everything.
struct FlushScope {
  std::string link;
  std::string connector;
  std::vector<std::string> ids;
};

/// Who goes on in a session when its mail is sent. What is fetched there needs no second connection, which the far end of a modem may not
/// even have.
class SessionHeir {
 public:
  virtual ~SessionHeir() = default;
  /// Asked before the session's first byte.
  virtual bool wants(const config::Connector& connector) = 0;
  /// `another` follows: the session comes back where it can go on. Errc::interrupted and deadline end the flush, too.
  virtual Result<std::optional<OpenedSession>> take(const config::Connector& connector, OpenedSession session, bool another) = 0;
};

struct FlushSettings {
  FlushScope scope;
  bool wait = false;                    ///< for another flush that has the line
  std::optional<Duration> deadline;
  std::optional<std::int64_t> max_bytes;   ///< of messages: one that would pass it is not begun
  std::string host;                     ///< our mail name
  SessionHeir* heir = nullptr;          ///< outlives the flush
};

/// Who wants to know how it goes.
class FlushObserver {
 public:
  virtual ~FlushObserver() = default;
  /// Once a message, when nothing more will happen to it in this flush.
  virtual void on_receipt(const mail::Receipt&) {}
  /// With each receipt, and some times a second while a session runs, where wants_progress().
  virtual bool wants_progress() const { return false; }
  virtual void on_progress(const mail::FlushProgress&) {}
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
  mail::Receipt held_back(const mail::QueuedMessage& message, const std::vector<std::string>& recipients);
  bool in_scope(const config::Connector& connector) const;
  /// Puts a part of a message under the lanes that serve it now. `seen`: it is the first that is heard of it; else a lane had it before.
  void distribute(const FlushShare& share, const mail::QueuedMessage* seen);
  void distribute(const FlushBatch::LetGo& let_go);
  Result<void> load_states();
  bool is_usable(const config::Connector* connector) const;
  Result<void> run_lane(const std::string& lane);
  Result<void> send_lane(FlushBatch& batch);
  Result<void> follow(FlushBatch& batch, const std::string& lane);
  Result<void> give_up_rest(FlushBatch& batch, const Error& why);
  Result<void> pause();
  /// Until no other flush has one of these messages, or the time is over.
  Result<void> await(const std::vector<std::string>& ids);
  // flush_visit.cpp
  Result<void> send_hop(FlushBatch& batch, const FlushHop& hop);
  std::vector<const config::Connector*> heirs_in(const FlushHop& hop) const;
  Result<void> hand_on(const std::vector<const config::Connector*>& heirs, std::optional<OpenedSession> session);
  Result<void> visit(FlushBatch& batch, const FlushHop& hop, const std::vector<PeerAddress>& addresses);
  /// Likewise, over X.400 (flush_association.cpp).
  Result<void> associate(FlushBatch& batch, const FlushHop& hop);
  Result<void> unreachable(FlushBatch& batch, const FlushHop& hop, Error why);
  /// The connector's state learns of a failure (`opened`: of a session that began) or, without one, of success.
  Result<void> note(const FlushHop& hop, const Error* why, bool opened);
  /// ... and where that spent its retries, its mail goes to the next connector.
  Result<void> fail_hop(FlushBatch& batch, const FlushHop& hop, const Error& why, bool opened);
  void show_progress();
  void keep_showing();
  void on_end_of_time(Errc cause);
  Error cut_short() const;
  void account(const mail::Receipt& part, bool in_snapshot);
  void hand_out(const mail::Receipt& receipt, bool in_snapshot);

  Spool& spool_;
  const config::Config& config_;
  const StatePaths& paths_;
  EventSink& events_;
  FlushSettings settings_;
  FlushObserver& observer_;
  mail::ConnectorStates states_;
  std::map<const config::Connector*, Error> no_dns_;
  std::set<std::string> failed_;           // state keys of what failed in this run
  std::shared_ptr<std::set<std::string>> counted_ = std::make_shared<std::set<std::string>>();   // ids whose attempt was counted in this run
  mail::ConnectorChoice choice_;
  mail::ReceiptBook book_;
  mail::FlushAllowance allowance_;
  mail::FlushTally tally_;
  Loop loop_;
  Loop::Registration patience_;   // after a signal
  Loop::Registration progress_timer_;
  std::int64_t receipts_before_ = 0;
  std::vector<std::string> lanes_;                                  // in the order of the configuration
  std::map<std::string, std::map<std::string, FlushShare>> snapshot_;   // by lane and id
  FlushSession* session_ = nullptr;
  int messages_total_ = 0, messages_done_ = 0;
  std::int64_t bytes_total_ = 0, bytes_done_ = 0;
  std::int64_t bytes_done_before_ = 0;     // when the session began
  TimePoint session_began_{};
  std::optional<TimePoint> end_;   // of the time that was given
  std::optional<Errc> ended_by_;
};

}  // namespace longline::sys
