// SPDX-License-Identifier: MIT
#include "sys/queue/mta_flush.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "base/text.hpp"
#include "mail/flush_selection.hpp"
#include "sys/loop.hpp"
#include "sys/signals.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

// Between two listings: soon at first, and at least as long as a listing takes; of 100,000 messages that is two seconds.
constexpr Duration kFirstPause(100), kLongestPause(1'000);
constexpr Duration kReminderPause(4'000);
// A restart of the mail system takes less.
constexpr int kFailedReminders = 3;
constexpr Duration kRestart(6'000);
constexpr Duration kLongestMtaFlush(24 * 3'600'000);

}  // namespace

bool MtaFlush::in_scope(const mail::QueuedMessage& message) {
  const FlushScope& scope = settings_.scope;
  if (scope.link.empty() && scope.connector.empty()) return true;
  return std::any_of(message.recipients.begin(), message.recipients.end(), [&](const mail::Recipient& r) {
    const config::Connector* connector = choice_.choose(r.address).connector;
    return !r.finished() && connector != nullptr && (scope.link.empty() ? connector->name == scope.connector : connector->link == scope.link);
  });
}

Result<std::vector<mail::QueuedMessage>> MtaFlush::take_snapshot() {
  std::set<std::string> wanted;
  for (const std::string& id : settings_.scope.ids) wanted.insert(queue_.canonical_id(id));
  const bool named = !wanted.empty();
  std::vector<mail::QueuedMessage> snapshot;
  LONGLINE_CHECK(queue_.visit([&](mail::QueuedMessage&& message) {
    const bool is_held_out = !named && message.state == mail::MessageState::held && in_scope(message);
    if (is_held_out) tally_.leave_out_held(1);
    if (is_held_out || (named ? wanted.erase(message.id) == 0 : !in_scope(message))) {
      others_.insert(std::move(message.id));
      return true;
    }
    snapshot.push_back(std::move(message));
    return true;
  }));
  if (!wanted.empty()) return mail::not_in_queue(*wanted.begin());
  return snapshot;
}

void MtaFlush::account(std::vector<mail::Receipt> receipts, bool asked) {
  for (mail::Receipt& receipt : receipts) {
    if (const config::Connector* connector = choice_.choose(receipt.recipients.front().address).connector) {
      receipt.connector = connector->name;
      receipt.link = connector->link;
      if (asked && !connector->link.empty()) {
        Moved& moved = moved_[connector->link];
        ++moved.due;
        moved.sent += receipt.left() ? 0 : 1;
        moved.connector = connector->name;
      }
    }
    tally_.add(receipt);
    observer_.on_receipt(receipt);
    mail::FlushProgress progress;
    progress.done = tally_.total();
    progress.total = static_cast<int>(total_);
    progress.bytes_done = tally_.bytes();
    observer_.on_progress(progress);
  }
}

Result<mail::FlushTally> MtaFlush::run() {
  if (settings_.deadline) end_ = steady_now() + *settings_.deadline;
  LONGLINE_TRY(std::vector<mail::QueuedMessage> snapshot, take_snapshot());
  total_ = snapshot.size();
  mail::FlushSelection selection = mail::select_for_flush(
      std::move(snapshot), {settings_.max_bytes, [&](const mail::QueuedMessage& message) { return queue_.goes_by_itself(message); }, wall_now()});
  asked_for_ = selection.asked.size();
  // Nothing named would mean everything.
  if (asked_for_ > 0) {
    const bool everything = settings_.scope.ids.empty() && settings_.scope.link.empty() && settings_.scope.connector.empty() && !settings_.max_bytes;
    std::vector<std::string> ids;
    if (!everything) {
      for (const mail::QueuedMessage& message : selection.asked) ids.push_back(message.id);
    }
    LONGLINE_CHECK(queue_.trigger(ids));
  }
  for (const mail::Receipt& left : selection.left) others_.insert(left.id);
  account(std::move(selection.left), false);
  if (settings_.wait && asked_for_ > 0) LONGLINE_CHECK(follow(std::move(selection.asked)));
  return tally_;
}

Result<bool> MtaFlush::look(mail::FlushFollower& follower) {
  follower.begin_listing();
  const Result<void> listed = queue_.visit([&](mail::QueuedMessage&& message) {
    follower.on_listed(message);
    return true;
  });
  // What a mail system that is about to stop says on the way is no listing.
  if (!listed && !queue_.is_down()) return listed.error();
  LONGLINE_TRY(const std::vector<mail::Fate> fates, queue_.new_fates());
  for (const mail::Fate& fate : fates) follower.on_fate(fate);
  if (queue_.is_down()) follower.excuse_quiet();
  return listed.has_value();
}

Result<void> MtaFlush::follow(std::vector<mail::QueuedMessage> snapshot) {
  LONGLINE_TRY(Signals signals, Signals::open({SIGTERM, SIGINT, SIGHUP}));
  Loop loop;
  std::optional<Errc> ended_by;
  const auto watch = loop.watch(signals.fd(), POLLIN, [&](short) {
    while (signals.take()) ended_by = Errc::interrupted;
  });
  const bool gives_new_ids = !queue_.why_not(mail::QueueChange::requeue);
  mail::FlushFollower follower(std::move(snapshot), queue_.tells_fates(), gives_new_ids ? std::optional(std::move(others_)) : std::nullopt);
  const TimePoint end = end_.value_or(steady_now() + kLongestMtaFlush);
  Duration pause = kFirstPause;
  TimePoint reminded = steady_now();
  int failed_reminders = 0;
  TimePoint seen_up = reminded;
  std::string why;
  const std::size_t total = total_;
  while (true) {
    // In this order: what a run that is over has done is in the listing, and what a listing shows as gone is in the log.
    const std::optional<bool> over = queue_.run_is_over();
    const TimePoint before = steady_now();
    LONGLINE_TRY(const bool listed, look(follower));
    const TimePoint after = steady_now();
    std::vector<mail::Receipt> receipts;
    if (listed) receipts = follower.end_listing(after, over);
    pause = receipts.empty() ? std::min(kLongestPause, pause * 3 / 2) : kFirstPause;
    total_ = total - follower.removed();
    account(std::move(receipts));
    if (follower.waiting() == 0) return {};
    // If nobody can be asked now, it stays as it is, and that is its end.
    if (const std::vector<std::string> ids = follower.to_be_asked_for(); !ids.empty()) static_cast<void>(queue_.trigger(ids));
    if (!queue_.is_down()) seen_up = after;
    if (after - seen_up >= kRestart) {
      ended_by = Errc::next_hop_unreachable;
      why = "the mail system does not run";
    }
    const std::vector<std::string> ids = queue_.is_down() ? std::vector<std::string>() : follower.overlooked(after);
    if (!ids.empty() && after - reminded >= kReminderPause) {
      reminded = after;
      failed_reminders = queue_.remind(ids) ? 0 : failed_reminders + 1;
      if (failed_reminders == kFailedReminders) ended_by = Errc::next_hop_unreachable;
    }
    const TimePoint next = std::min(end, after + std::max(pause, after - before));
    while (!ended_by && steady_now() < next) LONGLINE_CHECK(loop.run_once(next));
    if (!ended_by && steady_now() >= end) ended_by = Errc::deadline;
    if (!ended_by) continue;
    account(follower.give_up(*ended_by, why));
    tally_.ended_by(*ended_by);
    return {};
  }
}

}  // namespace longline::sys
