// SPDX-License-Identifier: MIT
#include "mail/flush_follower.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "mail/peer_words.hpp"

namespace longline::mail {
namespace {

// A log is written by another process than the one that removes the message.
constexpr Duration kLogPatience(2'000);
// Without any sign of life of a mail system that shows none, its verdict is what it was.
constexpr Duration kQuiet(5'000);
// A mail system that has written down what came of an attempt moves the message at once. One that does not has been restarted meanwhile: the
// attempt's verdict stands, and the message rests where it is until the next look at the queue.
constexpr Duration kSettled(1'500);
constexpr Duration kOverlooked(3'000);
// A listing may miss a message that moves from one queue to another.
constexpr int kAbsences = 2;

RecipientResult result_for(const Recipient& recipient) {
  RecipientResult out;
  out.address = recipient.address;
  take_account(out, recipient.reason);
  return out;
}

const Recipient* listed_recipient(const QueuedMessage& message, const std::string& address) {
  for (const Recipient& r : message.recipients) {
    if (r.address == address && !r.finished()) return &r;
  }
  return nullptr;
}

bool is_final(const RecipientResult& result) { return result.outcome == Outcome::sent || result.outcome == Outcome::refused; }

std::string first_reason(const QueuedMessage& message) {
  const Recipient* r = message.first_unfinished();
  return r == nullptr ? "" : r->reason;
}

}  // namespace

FlushFollower::FlushFollower(std::vector<QueuedMessage> snapshot, bool tells_fates) : tells_fates_(tells_fates) {
  for (QueuedMessage& message : snapshot) {
    std::string id = message.id;
    entries_.try_emplace(std::move(id), Entry{std::move(message)});
  }
}

void FlushFollower::on_fate(const Fate& fate) {
  const auto found = entries_.find(fate.id);
  if (found == entries_.end()) return;
  changed_ = true;
  found->second.ready_since.reset();
  if (fate.result.address.empty()) found->second.whole = fate.result;
  else found->second.fates[to_lower(fate.result.address)] = fate.result;
}

void FlushFollower::begin_listing() {
  busy_ = false;
  for (auto& [id, entry] : entries_) entry.listed.reset();
}

void FlushFollower::on_listed(const QueuedMessage& message) {
  busy_ = busy_ || message.state == MessageState::sending;
  const auto found = entries_.find(message.id);
  // An id that is used again means another message, and that ours is gone.
  if (found != entries_.end() && is_same_message(found->second.seen, message)) found->second.listed = message;
}

bool FlushFollower::was_attempted(const Entry& entry, bool run_over) const {
  if (run_over || entry.attempted) return true;
  const QueuedMessage& now = *entry.listed;
  if (now.next_attempt() && now.next_attempt() != entry.seen.next_attempt()) return true;
  if (first_reason(now) != first_reason(entry.seen)) return true;
  return all_have_fates(entry);
}

bool FlushFollower::all_have_fates(const Entry& entry) const {
  const std::vector<Recipient>& now = entry.listed->recipients;
  return std::all_of(now.begin(), now.end(), [&](const Recipient& r) { return r.finished() || entry.fates.contains(to_lower(r.address)); });
}

std::optional<Receipt> FlushFollower::end_of(Entry& entry, TimePoint now, bool run_over) {
  if (!entry.listed) {
    if (!entry.gone_since) entry.gone_since = now;
    if (++entry.absences < kAbsences && !run_over) return std::nullopt;
    const bool told = entry.whole || std::all_of(entry.seen.recipients.begin(), entry.seen.recipients.end(), [&](const Recipient& r) {
      const auto fate = entry.fates.find(to_lower(r.address));
      return r.finished() || (fate != entry.fates.end() && is_final(fate->second));
    });
    if (tells_fates_ && !told && now - *entry.gone_since < kLogPatience) return std::nullopt;
    return receipt_of_gone(entry);
  }
  entry.absences = 0;
  entry.gone_since.reset();
  if (entry.listed->state != MessageState::ready) entry.ready_since.reset();
  else if (!entry.ready_since) entry.ready_since = now;
  switch (entry.listed->state) {
    case MessageState::held: return receipt_of_left(entry);
    case MessageState::sending:
      changed_ = changed_ || !entry.attempted;
      entry.attempted = true;
      if (run_over) break;
      return std::nullopt;
    case MessageState::ready:
      if (run_over || (!entry.fates.empty() && all_have_fates(entry) && now - *entry.ready_since >= kSettled)) break;
      return std::nullopt;
    default: break;
  }
  if (!was_attempted(entry, run_over)) return std::nullopt;
  return receipt_of_left(entry);
}

std::vector<std::string> FlushFollower::overlooked(TimePoint now) const {
  std::vector<std::string> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.listed && entry.ready_since && now - *entry.ready_since >= kOverlooked) ids.push_back(id);
  }
  return ids;
}

std::vector<Receipt> FlushFollower::end_listing(TimePoint now, bool run_over) {
  std::vector<Receipt> receipts;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    std::optional<Receipt> receipt = end_of(entry->second, now, run_over);
    if (!receipt) {
      ++entry;
      continue;
    }
    receipts.push_back(std::move(*receipt));
    entry = entries_.erase(entry);
  }
  const bool quiet = receipts.empty() && !changed_ && !busy_;
  changed_ = false;
  if (!quiet) quiet_since_.reset();
  else if (!quiet_since_) quiet_since_ = now;
  if (quiet_since_ && now - *quiet_since_ >= kQuiet) {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const bool rests = entry->second.listed && entry->second.listed->state == MessageState::deferred;
      if (rests) receipts.push_back(receipt_of_left(entry->second));
      entry = rests ? entries_.erase(entry) : std::next(entry);
    }
  }
  return receipts;
}

Receipt FlushFollower::receipt_of_gone(const Entry& entry) const {
  Receipt receipt{entry.seen.id, "", "", entry.seen.size, entry.seen.message_id, {}, {}, {}, ""};
  for (const Recipient& r : entry.seen.recipients) {
    if (r.finished()) continue;
    const auto fate = entry.fates.find(to_lower(r.address));
    RecipientResult result = fate == entry.fates.end() ? RecipientResult() : fate->second;
    if (fate == entry.fates.end() && entry.whole) result = *entry.whole;
    // Whoever was put off and is gone now was given up, if somebody said so of the message, and else was taken later.
    if (entry.whole && result.outcome != Outcome::sent) result.outcome = Outcome::refused;
    if (!is_final(result)) {
      result = RecipientResult();
      result.outcome = Outcome::sent;
    }
    result.address = r.address;
    receipt.recipients.push_back(std::move(result));
  }
  if (receipt.recipients.empty()) receipt.recipients.push_back({"", Outcome::sent, 0, "", ""});
  return receipt;
}

Receipt FlushFollower::receipt_of_left(const Entry& entry) const {
  const QueuedMessage& now = entry.listed ? *entry.listed : entry.seen;
  Receipt receipt{now.id, "", "", now.size, now.message_id, {}, now.next_attempt(), {}, ""};
  bool unreachable = true;
  for (const Recipient& r : entry.seen.recipients) {
    if (r.finished()) continue;
    const auto fate = entry.fates.find(to_lower(r.address));
    RecipientResult result = fate == entry.fates.end() ? result_for(r) : fate->second;
    result.address = r.address;
    if (const Recipient* waits = listed_recipient(now, r.address)) {
      result.outcome = Outcome::deferred;
      if (result.text.empty() && result.code == 0) take_account(result, waits->reason);
      if (now.state == MessageState::held) result = {r.address, Outcome::deferred, 0, "", "held"};
      // Who has replied could be reached, whatever his words are.
      unreachable = unreachable && result.code == 0 && says_unreachable(result.text);
    } else if (!is_final(result)) {
      // No longer listed: it has the message.
      result = {r.address, Outcome::sent, 0, "", ""};
    }
    receipt.recipients.push_back(std::move(result));
  }
  if (receipt.recipients.empty()) receipt.recipients.push_back({"", Outcome::deferred, 0, "", "its file cannot be read"});
  if (unreachable && receipt.left()) receipt.cause = Errc::next_hop_unreachable;
  return receipt;
}

std::vector<Receipt> FlushFollower::give_up(Errc cause) {
  std::vector<Receipt> receipts;
  for (const auto& [id, entry] : entries_) {
    // What is not listed any more is gone, even if the last look could not be confirmed.
    Receipt receipt = entry.listed || entry.absences == 0 ? receipt_of_left(entry) : receipt_of_gone(entry);
    if (receipt.left()) receipt.cause = cause;
    receipts.push_back(std::move(receipt));
  }
  entries_.clear();
  return receipts;
}

bool says_unreachable(std::string_view reason) {
  const std::string text = to_lower(reason);
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  // What a peer says is in the same text: it could be reached.
  for (const std::string_view answered : {"said:", "smtp error from remote", "lost connection", "conversation with", "refused to talk"}) {
    if (says(answered)) return false;
  }
  for (const std::string_view dead :
       {"connection refused", "no route to host", "network is unreachable", "host is unreachable", "connection timed out", "operation timed out",
        "host or domain name not found", "name service error", "host lookup did not complete", "retry time not reached",
        "all hosts", "host is down", "next hop unreachable"}) {
    if (says(dead)) return true;
  }
  return false;
}

}  // namespace longline::mail
