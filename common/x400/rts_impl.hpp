// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "x400/rts.hpp"
#include "x400/rts_opening.hpp"
#include "x400/session.hpp"

namespace longline::x400 {

/// A segment may be longer than what was agreed on by as much as a careless peer's rounding, bytes.
constexpr std::uint64_t kSegmentSlack = 1024;

/// A transfer that was taken from the source.
struct Sending {
  OutgoingTransfer transfer;
  OutgoingProgress progress{};          ///< of the activity that is, or was, under way
  std::uint64_t offset = 0;             ///< bytes that are written
  std::uint32_t serial = 0;             ///< points that are written
  int retries = 0;
  bool resumed = false;                 ///< this activity began with AR, and nothing was confirmed since
  bool ending = false;                  ///< its last byte is written
  std::optional<Error> failed{};        ///< why it is being stopped
  bool discard = false;                 ///< it is being stopped for good
  bool give_up = false;                 ///< no further attempt in this association
  TimePoint due{};                      ///< of the next attempt, or the end of this one
};

/// The transfer that is coming in.
struct Receiving {
  TransferKey key;
  std::uint32_t serial = 0;             ///< segments that are stored
  std::uint64_t bytes = 0;              ///< of them
  std::string segment;                  ///< what came behind the last one
  bool first = false;                   ///< nothing of it is stored
  bool known = false;                   ///< it was complete before: nothing is stored
  bool refused = false;                 ///< an exception is reported; it will be stopped
};

/// The parts of Rts: rts.cpp opens and ends the association and keeps its time, rts_sender.cpp sends transfers, rts_receiver.cpp takes them,
/// rts_turn.cpp says who sends, and releases.
struct Rts::Impl {
  enum class Phase { idle, opening, running, releasing, ending, finished };

  Impl(RtsOptions o, RtsHost& h);

  // rts.cpp
  void start(TimePoint now);
  std::optional<RtsAction> next_action();
  void take(SessionAction&& action);
  void on(Write&& write);
  void on(SessionConnected&& connected);
  void on(SessionFinished&& end);
  void on(ReleaseAsked&& asked);
  void bind(Agreement&& agreement);
  void refuse(Refusal&& refusal);
  void on_time();
  std::optional<TimePoint> deadline() const;
  /// The latest time that a peer which is sending, or has to answer, has for it.
  std::optional<TimePoint> patience() const;
  /// Ends the association by an abort that says `reason` (RTAB); Finished has `error`.
  void abort(Error error, std::int64_t reason);
  void finish(std::optional<Error> error);
  bool must(const Result<void>& done);
  bool is_busy() const { return sending || receiving; }
  bool has_turn() const { return session.turn(); }
  bool pump();

  // rts_sender.cpp
  bool begin(Sending&& next);
  bool send_step();
  Result<std::string> read_segment(std::size_t size);
  void on(MinorSyncConfirmed&& confirmed);
  void on(ActivityEndConfirmed&& confirmed);
  void on(ExceptionReported&& exception);
  void on(ActivityStopConfirmed&& confirmed);
  void stop_sending(Error why, bool discard, bool give_up);
  void try_again(Sending&& stopped);
  /// The association ended with this under way.
  void give_back(Sending&& one, const Error& error);
  std::uint64_t confirmed_bytes(const Sending& one, std::uint32_t serial) const;

  // rts_receiver.cpp
  void on(ActivityStarted&& started);
  void on(ActivityResumed&& resumed);
  void on(DataArrived&& data);
  void on(MinorSyncArrived&& point);
  void on(ActivityEnding&& ending);
  void on(ActivityStopping&& stopping);
  void refuse_transfer(SessionReason reason);
  void store_segment();

  // rts_turn.cpp
  void on(TurnAsked&& asked);
  void on(TurnGiven&& given);
  /// The next transfer: one that is due again, or from the source.
  bool fetch();
  bool start_next();
  bool ask_turn();
  bool give_turn();
  bool may_keep_turn() const;
  bool end_when_idle();
  std::optional<TimePoint> idle_deadline() const;
  void release();
  void progress() { last_progress = clock; }

  RtsOptions options;
  RtsHost& host;
  Session session;
  Phase phase = Phase::idle;
  std::deque<RtsAction> actions;
  Agreement agreement;
  std::optional<Error> error;              ///< of RtsFinished
  bool recovery_refused = false;
  bool bound = false;                      ///< of RtsFinished
  bool peer_aborts = false;                ///< how the session ended
  std::optional<std::int64_t> peer_reason; ///< an AbortReason
  RtsTraffic traffic;
  std::size_t free = 65536;                ///< what the driver can take

  std::optional<Sending> sending;
  std::optional<Sending> next;             ///< waits for the turn
  std::deque<Sending> again;               ///< wait for their next attempt
  std::optional<Receiving> receiving;
  std::uint32_t activities = 0;            ///< of ours

  bool source_dry = false;
  bool stopping = false;
  std::optional<std::int64_t> peer_asked;  ///< the priority with which it wants the turn
  bool we_asked = false;
  int served = 0;                          ///< transfers since the peer asked
  bool offered = false;                    ///< the turn, since something moved
  bool asked_to_end = false;               ///< the turn, to release

  TimePoint clock{};
  TimePoint last_progress{};               ///< bytes left, or something whole came
  TimePoint whole_since{};                 ///< nothing that came is in pieces, at the latest
  TimePoint idle_since{};
};

}  // namespace longline::x400
