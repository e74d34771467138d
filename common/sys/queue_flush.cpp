// SPDX-License-Identifier: MIT
#include "sys/queue_flush.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>

#include "base/text.hpp"
#include "sys/link_client.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr Duration kFollowStep(100);
constexpr Duration kFollowLongest(24 * 3'600'000);
constexpr Duration kSignalPatience(5'000);     // dialctl kills 10 s after its SIGTERM

}  // namespace

QueueFlush::QueueFlush(Spool& spool, const config::Config& config, const StatePaths& paths, EventSink& events,
                       FlushSettings settings, FlushObserver& observer)
    : spool_(spool), config_(config), paths_(paths), events_(events), settings_(std::move(settings)), observer_(observer),
      choice_(config) {}

bool QueueFlush::in_scope(const config::Connector& connector) const {
  if (!settings_.scope.link.empty()) return connector.link == settings_.scope.link;
  return settings_.scope.connector.empty() || connector.name == settings_.scope.connector;
}

void QueueFlush::account(const mail::Receipt& receipt, bool in_snapshot) {
  if (in_snapshot) tally_.add(receipt);
  observer_.on_receipt(receipt);
}

Result<mail::FlushTally> QueueFlush::run() {
  LONGLINE_TRY(Signals signals, Signals::open({SIGTERM, SIGINT, SIGHUP}));
  const auto signal_watch = loop_.watch(signals.fd(), POLLIN, [&](short) {
    while (signals.take()) on_end_of_time(Errc::interrupted);
  });
  Loop::Registration soft, hard;
  if (settings_.deadline) {
    // The last tenth, at most 10 s, is for the messages under way.
    const TimePoint end = loop_.now() + *settings_.deadline;
    end_ = end;
    soft = loop_.at(end - std::min(*settings_.deadline / 10, Duration(10'000)), [this] { if (session_ != nullptr) session_->stop(); });
    hard = loop_.at(end, [this] {
      on_end_of_time(Errc::deadline);
      if (session_ != nullptr) session_->abort();
    });
  }
  LONGLINE_CHECK(take_snapshot());
  for (const std::string& lane : lanes_) LONGLINE_CHECK(run_lane(lane));
  if (ended_by_) tally_.ended_by(*ended_by_);
  LONGLINE_CHECK(spool_.trim());
  return tally_;
}

void QueueFlush::on_end_of_time(Errc cause) {
  const bool again = ended_by_.has_value();
  if (!again) ended_by_ = cause;
  if (session_ == nullptr) return;
  if (again) return session_->abort();
  session_->stop();
  patience_ = loop_.at(loop_.now() + kSignalPatience, [this] {
    if (session_ != nullptr) session_->abort();
  });
}

Error QueueFlush::cut_short() const {
  if (ended_by_ == Errc::deadline) return Error(Errc::deadline, "the time ran out", Stage::transfer);
  return Error(ended_by_.value_or(Errc::interrupted), "interrupted", Stage::transfer);
}

// ---- the snapshot

Result<void> QueueFlush::take_snapshot() {
  // Receipts first: whatever another flush finishes from here on is found again.
  LONGLINE_TRY(receipts_before_, spool_.last_receipt());
  for (const config::Connector& connector : config_.connectors) {
    const std::string lane = mail::lease_name(connector);
    if (in_scope(connector) && std::find(lanes_.begin(), lanes_.end(), lane) == lanes_.end()) lanes_.push_back(lane);
  }
  const std::vector<std::string>& ids = settings_.scope.ids;
  std::set<std::string> wanted(ids.begin(), ids.end());
  std::vector<mail::Receipt> stranded;
  const bool everything = settings_.scope.link.empty() && settings_.scope.connector.empty();
  LONGLINE_CHECK(spool_.visit(Box::queue, [&](mail::QueuedMessage&& message) {
    const bool named = wanted.erase(message.id) > 0;
    if (!ids.empty() && !named) return true;
    if (message.state == mail::MessageState::held && !named) return true;
    std::set<std::string> lanes;
    mail::Receipt left{message.id, "", "", message.size, message.message_id, {}, {}, {}, ""};
    for (const mail::Recipient& r : message.recipients) {
      if (r.finished()) continue;
      const mail::Destination destination = choice_.choose(r.address);
      const bool usable = destination.connector != nullptr && !mail::why_unusable(*destination.connector);
      if (usable && in_scope(*destination.connector)) lanes.insert(mail::lease_name(*destination.connector));
      if (!usable && everything) left.recipients.push_back({r.address, mail::Outcome::not_tried, 0, "", mail::waiting_reason(r, destination)});
    }
    for (const std::string& lane : lanes) snapshot_[lane].push_back(message);
    if (lanes.empty() && !left.recipients.empty()) stranded.push_back(std::move(left));
    return true;
  }));
  for (const mail::Receipt& receipt : stranded) account(receipt, true);
  for (const std::string& id : wanted) {
    // Gone since somebody listed it: what became of it is known.
    LONGLINE_TRY(const auto stored, spool_.receipt_of(id));
    if (!stored) return Error(Errc::not_found, "message " + escape_at_most(id, 40) + ": not in the queue", Stage::queue);
    LONGLINE_TRY(const mail::Receipt receipt, mail::receipt_from_json(stored->json));
    account(receipt, true);
  }
  return {};
}

// ---- one link, or one LAN connector

Result<void> QueueFlush::run_lane(const std::string& lane) {
  const auto found = snapshot_.find(lane);
  if (found == snapshot_.end()) return {};
  FlushBatch batch(spool_, config_, events_, settings_.host, lane,
                   {[this, &batch](const mail::Receipt& receipt, bool in_snapshot) {
                      account(receipt, in_snapshot);
                      observer_.on_progress(session_ == nullptr ? 0 : session_->bytes_out(), batch.done(), batch.taken_on());
                    },
                    [this](const config::Connector& connector) { return in_scope(connector); }});
  for (mail::QueuedMessage& message : found->second) batch.add(std::move(message), true);
  while (!batch.empty()) {
    LONGLINE_TRY(const std::optional<ProcessIdentity> holder, spool_.take_lease(lane));
    if (!holder) {
      Result<void> sent = send_lane(batch);
      LONGLINE_CHECK(spool_.release_lease());
      return sent;
    }
    if (!settings_.wait || ended_by_) {
      const Error busy(Errc::busy, fmt::format("another flush (process {}, {}) has the line", holder->pid, escape(command_name(*holder))),
                       Stage::lock);
      for (const FlushHop& hop : batch.hops()) LONGLINE_CHECK(batch.give_up(hop, ended_by_ ? cut_short() : busy, false));
      return {};
    }
    LONGLINE_CHECK(follow(batch, lane));
  }
  return {};
}

Result<void> QueueFlush::follow(FlushBatch& batch, const std::string& lane) {
  const TimePoint end = loop_.now() + kFollowLongest;
  while (!batch.empty() && !ended_by_ && loop_.now() < end) {
    // In this order: a holder that is gone has recorded its last receipt.
    LONGLINE_TRY(const auto holder, spool_.lease_holder(lane));
    LONGLINE_TRY(const std::vector<StoredReceipt> receipts, spool_.receipts_after(receipts_before_));
    for (const StoredReceipt& stored : receipts) {
      receipts_before_ = std::max(receipts_before_, stored.number);
      const std::vector<std::string> waiting = batch.waiting();
      if (std::find(waiting.begin(), waiting.end(), stored.id) == waiting.end()) continue;
      LONGLINE_TRY(const mail::Receipt receipt, mail::receipt_from_json(stored.json));
      batch.forget(stored.id);
      account(receipt, true);
    }
    if (!holder) return batch.refresh();
    const TimePoint step = loop_.now() + kFollowStep;
    while (loop_.now() < step && !ended_by_) LONGLINE_CHECK(loop_.run_once(step));
  }
  if (!batch.empty() && !ended_by_) ended_by_ = Errc::deadline;
  return {};
}

Result<void> QueueFlush::send_lane(FlushBatch& batch) {
  LONGLINE_CHECK(batch.refresh());
  for (const FlushHop& hop : batch.hops()) {
    if (batch.due(hop) == 0) continue;
    Result<void> done = ended_by_ ? batch.give_up(hop, cut_short(), false) : send_hop(batch, hop);
    LONGLINE_CHECK(done);
  }
  return {};
}

// ---- one session

Result<void> QueueFlush::send_hop(FlushBatch& batch, const FlushHop& hop) {
  const config::Connector& connector = *hop.connector;
  PeerSession::Observer observer;
  if (observer_.wants_trace()) observer.trace = [this](bool received, std::string_view bytes) { observer_.on_trace(received, bytes); };
  observer.note = [this](const std::string& note) { observer_.on_note(note); };
  PeerSession session(loop_, spool_, config_, paths_, events_, settings_.host, connector, peer_address(connector),
                      {[&](const std::vector<mail::InFlight>& messages) { return batch.mark_in_doubt(messages); },
                       [&](const std::vector<mail::MessageResult>& results) { return batch.record(results); }},
                      std::move(observer));
  LONGLINE_TRY(const std::uint64_t size_limit, session.known_size_limit());
  LONGLINE_CHECK(batch.refuse_too_large(hop, static_cast<std::int64_t>(size_limit)));
  const std::size_t due = batch.due(hop);
  if (due == 0) return {};
  Result<void> opened = session.open(end_);
  if (!opened) {
    // The loop, and with it the timer, stood still meanwhile.
    if (end_ && steady_now() >= *end_) ended_by_ = Errc::deadline;
    const bool link_down = opened.error().code == Errc::link_down;
    if (!link_down) {
      events_.emit(failure_event("mail.unreachable", 289, connector.link, opened.error()));
      report_to_supervisor(paths_, connector.link, static_cast<std::int64_t>(due), 0, connector.name);
    }
    return batch.give_up(hop, std::move(opened).error().context("connector " + connector.name), !link_down);
  }
  batch.start_hop(hop, settings_.scope.ids.empty());
  session_ = &session;
  Result<mail::SmtpFinished> finished = session.run(batch);
  session_ = nullptr;
  if (!finished) return std::move(finished).error();
  if (const auto failure = batch.source_failure()) return *failure;
  if (!connector.link.empty()) {
    report_to_supervisor(paths_, connector.link, static_cast<std::int64_t>(due), static_cast<std::int64_t>(batch.sent_in_hop()), connector.name);
  }
  Event event{"queue.flushed"};
  if (finished->error) event = failure_event("queue.flushed", std::nullopt, connector.link, *finished->error);
  event.link = connector.link;
  event.connector = connector.name;
  event.more = session.facts();
  event.more.set("due", static_cast<std::int64_t>(due)).set("sent", static_cast<std::int64_t>(batch.sent_in_hop()));
  event.more.set("bytes_out", static_cast<std::int64_t>(session.bytes_out())).set("bytes_in", static_cast<std::int64_t>(session.bytes_in()));
  events_.emit(event);
  Error why = ended_by_ ? cut_short()
              : finished->error ? *finished->error
                                : Error(Errc::messages_left, "the session ended before its turn", Stage::transfer);
  return batch.give_up(hop, std::move(why).context("connector " + connector.name), true);
}

}  // namespace longline::sys
