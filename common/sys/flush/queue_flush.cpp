// SPDX-License-Identifier: MIT
#include "sys/flush/queue_flush.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>

#include "base/text.hpp"
#include "sys/link/link_client.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr Duration kFollowStep(100);
constexpr Duration kFollowLongest(24 * 3'600'000);
constexpr Duration kSignalPatience(5'000);     // dialctl kills 10 s after its SIGTERM

/// Left because the time, the bytes or the patience of its flush were at an end.
bool is_of_limits(const mail::Receipt& receipt) {
  if (!receipt.left() || !receipt.cause) return false;
  return *receipt.cause == Errc::deadline || *receipt.cause == Errc::interrupted || *receipt.cause == Errc::messages_left;
}

}  // namespace

QueueFlush::QueueFlush(Spool& spool, const config::Config& config, const StatePaths& paths, EventSink& events,
                       FlushSettings settings, FlushObserver& observer)
    : spool_(spool), config_(config), paths_(paths), events_(events), settings_(std::move(settings)), observer_(observer),
      choice_(config), allowance_(settings_.max_bytes, std::nullopt) {}

bool QueueFlush::in_scope(const config::Connector& connector) const {
  if (!settings_.scope.link.empty()) return connector.link == settings_.scope.link;
  return settings_.scope.connector.empty() || connector.name == settings_.scope.connector;
}

bool QueueFlush::is_usable(const config::Connector* connector) const {
  return connector != nullptr && in_scope(*connector);
}

void QueueFlush::account(const mail::Receipt& part, bool in_snapshot) {
  const std::optional<mail::Receipt> whole = book_.add(part, in_snapshot);
  if (whole) hand_out(*whole, in_snapshot);
}

void QueueFlush::hand_out(const mail::Receipt& receipt, bool in_snapshot) {
  if (in_snapshot) tally_.add(receipt);
  ++messages_done_;
  bytes_done_ += receipt.size;
  observer_.on_receipt(receipt);
  show_progress();
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
    soft = loop_.at(end - std::min(*settings_.deadline / 10, Duration(10'000)), [this] {
      if (!ended_by_) ended_by_ = Errc::deadline;
      if (session_ != nullptr) session_->stop();
    });
    hard = loop_.at(end, [this] {
      if (!ended_by_) ended_by_ = Errc::deadline;
      if (session_ != nullptr) session_->abort();
    });
  }
  allowance_ = mail::FlushAllowance(settings_.max_bytes, end_);
  LONGLINE_CHECK(take_snapshot());
  // A connector whose retries are spent hands its mail to another: then a lane has work once more. Each fails once at most.
  for (bool any = true; any;) {
    any = false;
    for (const std::string& lane : lanes_) {
      if (!snapshot_.contains(lane)) continue;
      any = true;
      LONGLINE_CHECK(run_lane(lane));
    }
  }
  for (const auto& [in_snapshot, receipt] : book_.rest()) hand_out(receipt, in_snapshot);
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

Result<void> QueueFlush::load_states() {
  LONGLINE_TRY(states_, spool_.connector_states());
  mail::ConnectorStates view = states_;
  // A connector that is named is tried, whatever came before.
  const config::Connector* named = config_.find_connector(settings_.scope.connector);
  if (named != nullptr) {
    std::erase_if(view, [&](const auto& one) {
      return (one.first == named->name || one.first.starts_with(named->name + "\t")) && !failed_.contains(one.first);
    });
  }
  choice_ = mail::ConnectorChoice(config_, std::move(view), wall_now());
  return {};
}

void QueueFlush::distribute(const FlushShare& share, const mail::QueuedMessage* seen) {
  std::map<std::string, std::vector<std::string>> by_lane;
  mail::Receipt nowhere{share.id, "", "", share.size, seen == nullptr ? "" : seen->message_id, {}, {}, {}, ""};
  const auto waiting = [&](const std::string& address) {
    if (seen != nullptr) {
      for (const mail::Recipient& r : seen->recipients) {
        if (r.address == address) return r;
      }
    }
    mail::Recipient unknown;
    unknown.address = address;
    return unknown;
  };
  for (const std::string& address : share.recipients) {
    const mail::Destination destination = choice_.choose(address);
    if (is_usable(destination.connector)) {
      by_lane[mail::lease_name(*destination.connector)].push_back(address);
      continue;
    }
    std::string why = destination.connector != nullptr && !in_scope(*destination.connector)
                          ? "connector " + destination.connector->name + " serves it now"
                          : mail::waiting_reason(waiting(address), destination);
    nowhere.recipients.push_back({address, mail::Outcome::not_tried, 0, "", std::move(why)});
  }
  bool is_first = seen != nullptr;
  for (auto& [lane, addresses] : by_lane) {
    const auto [place, fresh] = snapshot_[lane].try_emplace(share.id, share);
    if (fresh) place->second.recipients = std::move(addresses);
    else place->second.recipients.insert(place->second.recipients.end(), addresses.begin(), addresses.end());
    if (fresh && !std::exchange(is_first, false) && share.in_snapshot) book_.expect_another(share.id);
  }
  if (nowhere.recipients.empty()) return;
  if (seen == nullptr) {
    if (const Result<mail::QueuedMessage> now = spool_.find(share.id)) nowhere.message_id = now->message_id;
  }
  // Of what a lane lets go another may have its part, or the lane itself: one of them closes the receipt.
  if (!share.in_snapshot || seen == nullptr || !by_lane.empty()) book_.note(nowhere, share.in_snapshot);
  else hand_out(nowhere, true);
}

void QueueFlush::distribute(const FlushBatch::LetGo& let_go) {
  for (const FlushShare& share : let_go.shares) distribute(share, nullptr);
  for (const std::string& id : let_go.gone) {
    if (const std::optional<mail::Receipt> whole = book_.drop(id)) hand_out(*whole, true);
  }
}

mail::Receipt QueueFlush::held_back(const mail::QueuedMessage& message, const std::vector<std::string>& recipients) {
  mail::Receipt receipt{message.id, "", "", message.size, message.message_id, {}, {}, {}, "held"};
  const config::Connector* connector = choice_.choose(recipients.front()).connector;
  if (connector != nullptr) {
    receipt.connector = connector->name;
    receipt.link = connector->link;
  }
  for (const std::string& address : recipients) receipt.recipients.push_back({address, mail::Outcome::not_tried, 0, "", ""});
  return receipt;
}

Result<void> QueueFlush::take_snapshot() {
  // Receipts first: whatever another flush finishes from here on is found again.
  LONGLINE_TRY(receipts_before_, spool_.last_receipt());
  LONGLINE_CHECK(load_states());
  for (const config::Connector& connector : config_.connectors) {
    const std::string lane = mail::lease_name(connector);
    if (in_scope(connector) && std::find(lanes_.begin(), lanes_.end(), lane) == lanes_.end()) lanes_.push_back(lane);
  }
  const std::vector<std::string>& ids = settings_.scope.ids;
  std::set<std::string> wanted(ids.begin(), ids.end());
  const bool everything = settings_.scope.link.empty() && settings_.scope.connector.empty();
  LONGLINE_CHECK(spool_.visit(Box::queue, [&](mail::QueuedMessage&& message) {
    const bool named = wanted.erase(message.id) > 0;
    if (!ids.empty() && !named) return true;
    const bool is_held = message.state == mail::MessageState::held;
    FlushShare share = share_of(message);
    for (const mail::Recipient& r : message.recipients) {
      if (!r.finished() && (everything || is_usable(choice_.choose(r.address).connector))) share.recipients.push_back(r.address);
    }
    if (share.recipients.empty()) return true;
    if (is_held && !named) tally_.leave_out_held(1);
    if (is_held && named) hand_out(held_back(message, share.recipients), true);
    if (is_held) return true;
    bytes_total_ += share.size;
    ++messages_total_;
    distribute(share, &message);
    return true;
  }));
  for (const std::string& id : wanted) {
    // Gone since somebody listed it: what became of it is known.
    LONGLINE_TRY(const auto stored, spool_.receipt_of(id));
    if (!stored) return Error(Errc::not_found, "message " + escape_at_most(id, 40) + ": not in the queue", Stage::queue);
    LONGLINE_TRY(const mail::Receipt receipt, mail::receipt_from_json(stored->json));
    hand_out(receipt, true);
  }
  return {};
}

// ---- one link, or one LAN connector

Result<void> QueueFlush::run_lane(const std::string& lane) {
  std::map<std::string, FlushShare> shares = std::move(snapshot_.extract(lane).mapped());
  FlushBatch batch(spool_, config_, events_, settings_.host, lane, choice_,
                   {[this](const mail::Receipt& receipt, bool in_snapshot) { account(receipt, in_snapshot); },
                    [this](const config::Connector& connector) { return in_scope(connector); },
                    [this](std::int64_t size) {
                      if (session_ != nullptr) {
                        const auto answered = session_->answered();
                        allowance_.on_progress(session_->bytes_out(), loop_.now());
                        allowance_.on_answers(answered.bytes, answered.rate);
                      }
                      std::optional<Error> why = allowance_.refusal(size, loop_.now());
                      // What the time is too short for goes on in the next call.
                      if (why && why->code == Errc::deadline && session_ != nullptr && session_->resumes()) why.reset();
                      return why;
                    },
                    [this](std::int64_t size) { allowance_.begin(size); },
                    counted_});
  while (!shares.empty()) batch.add(std::move(shares.extract(shares.begin()).mapped()));
  while (!batch.empty()) {
    LONGLINE_TRY(const std::optional<ProcessIdentity> holder, spool_.take_lease(lane));
    if (!holder) {
      const Result<void> sent = send_lane(batch);
      LONGLINE_CHECK(spool_.release_lease());
      if (!sent) return sent;
      const std::vector<std::string> elsewhere = batch.elsewhere();
      if (settings_.wait && !elsewhere.empty()) LONGLINE_CHECK(await(elsewhere));
      if (settings_.wait && !elsewhere.empty() && !ended_by_) continue;
      return give_up_rest(batch, Error(Errc::busy, "another flush is sending it", Stage::lock));
    }
    if (!settings_.wait || ended_by_) {
      const Error busy(Errc::busy, fmt::format("another flush (process {}, {}) has the line", holder->pid, escape(command_name(*holder))),
                       Stage::lock);
      return give_up_rest(batch, busy);
    }
    LONGLINE_CHECK(follow(batch, lane));
  }
  return {};
}

Result<void> QueueFlush::give_up_rest(FlushBatch& batch, const Error& why) {
  for (const FlushHop& hop : batch.hops()) LONGLINE_CHECK(batch.give_up(hop, ended_by_ ? cut_short() : why, false));
  return {};
}

/// Before what another flush does is looked at again.
Result<void> QueueFlush::pause() {
  const TimePoint step = loop_.now() + kFollowStep;
  while (loop_.now() < step && !ended_by_) LONGLINE_CHECK(loop_.run_once(step));
  return {};
}

Result<void> QueueFlush::await(const std::vector<std::string>& ids) {
  const TimePoint end = loop_.now() + kFollowLongest;
  for (const std::string& id : ids) {
    while (!ended_by_ && loop_.now() < end) {
      const Result<mail::QueuedMessage> message = spool_.find(id);
      if (!message && message.error().code != Errc::not_found) return message.error();
      if (!message || message->state != mail::MessageState::sending) break;
      LONGLINE_CHECK(pause());
    }
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
      if (is_of_limits(receipt)) continue;   // those of the holder: with ours it may go
      batch.forget(stored.id);
      account(receipt, true);
    }
    if (!holder) return batch.refresh();
    LONGLINE_CHECK(pause());
  }
  if (!batch.empty() && !ended_by_) ended_by_ = Errc::deadline;
  return {};
}

Result<void> QueueFlush::send_lane(FlushBatch& batch) {
  // Another flush may have found out meanwhile that a connector's retries are spent.
  LONGLINE_CHECK(load_states());
  distribute(batch.reroute(choice_));
  LONGLINE_CHECK(batch.refresh());
  for (const FlushHop& hop : batch.hops()) {
    if (batch.due(hop) == 0) continue;
    Result<void> done = ended_by_ ? batch.give_up(hop, cut_short(), false) : send_hop(batch, hop);
    LONGLINE_CHECK(done);
  }
  return {};
}

}  // namespace longline::sys
