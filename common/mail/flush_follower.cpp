// SPDX-License-Identifier: MIT
#include "mail/flush_follower.hpp"

#include <algorithm>
#include <utility>

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
// What Postfix says of mail whose turn comes when somebody asks (defer_transports).
constexpr std::string_view kUnasked = "deferred transport";
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

FlushFollower::FlushFollower(std::vector<QueuedMessage> snapshot, bool tells_fates, std::optional<std::set<std::string>> others)
    : tells_fates_(tells_fates), others_(std::move(others)) {
  for (QueuedMessage& message : snapshot) {
    std::string id = message.id;
    if (others_) {
      arrivals_.insert(message.arrived);
      others_->insert(id);
    }
    entries_.try_emplace(id, Entry{std::move(message), id});
  }
}

// What was put off before says nothing of what comes; who has it has it.
void FlushFollower::Entry::begin_again() {
  for (auto& [address, fate] : fates) {
    if (is_final(fate)) before[address] = std::move(fate);
  }
  fates.clear();
  whole.reset();
  attempted = false;
}

void FlushFollower::rename(Entries::iterator entry, const std::string& id) {
  if (entries_.contains(id)) return;
  auto node = entries_.extract(entry);
  node.key() = id;
  Entry& renamed = node.mapped();
  renamed.begin_again();
  renamed.seen.id = id;
  renamed.requeued = false;
  renamed.renamed = true;
  renamed.listed.reset();
  renamed.absences = 0;
  renamed.gone_since.reset();
  renamed.ready_since.reset();
  newcomers_.erase(id);
  if (others_) others_->insert(id);
  entries_.insert(std::move(node));
}

void FlushFollower::on_fate(const Fate& fate) {
  const auto found = entries_.find(fate.id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  const std::string address = to_lower(fate.result.address);
  changed_ = true;
  entry.ready_since.reset();
  switch (fate.kind) {
    case Fate::Kind::outcome:
      if (address.empty()) entry.whole = fate.result;
      else entry.fates[address] = fate.result;
      break;
    case Fate::Kind::removed:
      if (address.empty()) entry.removed = true;
      else entry.taken_out.insert(address);
      break;
    case Fate::Kind::requeued:
      entry.begin_again();
      entry.requeued = true;
      break;
    case Fate::Kind::renamed: rename(found, fate.new_id); break;
  }
}

void FlushFollower::begin_listing() {
  busy_ = false;
  for (auto& [id, entry] : entries_) entry.listed.reset();
}

void FlushFollower::on_listed(const QueuedMessage& message) {
  busy_ = busy_ || message.state == MessageState::sending;
  const auto found = entries_.find(message.id);
  if (found == entries_.end()) {
    if (others_ && arrivals_.contains(message.arrived) && !others_->contains(message.id)) newcomers_.insert_or_assign(message.id, message);
    return;
  }
  // An id that is used again means another message, and that ours is gone.
  if (is_same_message(found->second.seen, message)) found->second.listed = message;
}

// A newcomer that looks as the message would when it was requeued: Postfix keeps the time of arrival, and adds to the header.
std::optional<std::string> FlushFollower::take_twin(const Entry& entry) {
  std::set<std::string> waiting;
  for (const Recipient& r : entry.seen.recipients) {
    if (!r.finished()) waiting.insert(to_lower(r.address));
  }
  const auto twin = std::find_if(newcomers_.begin(), newcomers_.end(), [&](const auto& newcomer) {
    const QueuedMessage& now = newcomer.second;
    return now.arrived == entry.seen.arrived && now.sender == entry.seen.sender && now.size >= entry.seen.size && !now.recipients.empty() &&
           std::all_of(now.recipients.begin(), now.recipients.end(), [&](const Recipient& r) { return waiting.contains(to_lower(r.address)); });
  });
  if (twin == newcomers_.end()) return std::nullopt;
  std::string id = twin->first;
  newcomers_.erase(twin);
  return id;
}

const RecipientResult* FlushFollower::Entry::fate_of(const std::string& address) const {
  const std::string name = to_lower(address);
  for (const auto* told : {&fates, &before}) {
    if (const auto found = told->find(name); found != told->end()) return &found->second;
  }
  return nullptr;
}

bool FlushFollower::Entry::was_attempted() const {
  const QueuedMessage& earlier = unasked ? *unasked : seen;
  if (attempted) return true;
  if (listed->next_attempt() && listed->next_attempt() != earlier.next_attempt()) return true;
  return first_reason(*listed) != first_reason(earlier) || all_have_fates();
}

bool FlushFollower::Entry::all_have_fates() const {
  return std::all_of(listed->recipients.begin(), listed->recipients.end(),
                     [&](const Recipient& r) { return r.finished() || fates.contains(to_lower(r.address)); });
}

bool FlushFollower::Entry::is_told() const {
  if (requeued) return false;
  return removed || whole || std::all_of(seen.recipients.begin(), seen.recipients.end(), [&](const Recipient& r) {
    const RecipientResult* fate = fate_of(r.address);
    return r.finished() || taken_out.contains(to_lower(r.address)) || (fate != nullptr && is_final(*fate));
  });
}

std::optional<Receipt> FlushFollower::end_of_gone(Entry& entry, TimePoint now, bool run_over) {
  if (!entry.gone_since) entry.gone_since = now;
  if (++entry.absences < kAbsences && !run_over) return std::nullopt;
  if (!entry.is_told()) {
    if (tells_fates_ && now - *entry.gone_since < kLogPatience) return std::nullopt;
    if (auto id = take_twin(entry)) {
      found_again_.emplace_back(entry.seen.id, std::move(*id));
      return std::nullopt;
    }
  }
  return receipt_of_gone(entry);
}

std::optional<Receipt> FlushFollower::end_of(Entry& entry, TimePoint now, std::optional<bool> run_over) {
  const bool is_over = run_over.value_or(false);
  if (!entry.listed) return end_of_gone(entry, now, is_over);
  entry.absences = 0;
  entry.gone_since.reset();
  if (entry.listed->state != MessageState::ready) entry.ready_since.reset();
  else if (!entry.ready_since) entry.ready_since = now;
  const bool has_word = !entry.fates.empty() && entry.all_have_fates();
  switch (entry.listed->state) {
    case MessageState::held: return receipt_of_left(entry);
    case MessageState::sending:
      changed_ = changed_ || !entry.attempted;
      entry.attempted = true;
      if (is_over) break;
      return std::nullopt;
    case MessageState::ready:
      if (is_over || (has_word && !entry.requeued && now - *entry.ready_since >= kSettled)) break;
      return std::nullopt;
    default:
      if (!std::exchange(entry.renamed, false) || first_reason(*entry.listed) != kUnasked) break;
      to_be_asked_for_.push_back(entry.seen.id);
      entry.begin_again();
      entry.unasked = entry.listed;
      changed_ = true;
      return std::nullopt;
  }
  // While a run goes on, a word about one recipient is not the last about the message.
  if (run_over ? !is_over && !has_word : !entry.was_attempted()) return std::nullopt;
  return receipt_of_left(entry);
}

std::vector<std::string> FlushFollower::overlooked(TimePoint now) const {
  std::vector<std::string> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.listed && entry.ready_since && now - *entry.ready_since >= kOverlooked) ids.push_back(id);
  }
  return ids;
}

std::vector<Receipt> FlushFollower::end_listing(TimePoint now, std::optional<bool> run_over) {
  std::vector<Receipt> receipts;
  const auto finish = [&](Entries::iterator entry, Receipt receipt) {
    if (receipt.recipients.empty()) ++removed_;
    else receipts.push_back(std::move(receipt));
    return entries_.erase(entry);
  };
  const std::size_t waited_for = entries_.size();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    std::optional<Receipt> receipt = end_of(entry->second, now, run_over);
    entry = receipt ? finish(entry, std::move(*receipt)) : std::next(entry);
  }
  const bool quiet = entries_.size() == waited_for && found_again_.empty() && !changed_ && !busy_ && run_over.value_or(true);
  for (const auto& [old_id, new_id] : found_again_) rename(entries_.find(old_id), new_id);
  found_again_.clear();
  changed_ = false;
  if (!quiet) quiet_since_.reset();
  else if (!quiet_since_) quiet_since_ = now;
  if (quiet_since_ && now - *quiet_since_ >= kQuiet) {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const bool rests = entry->second.listed && entry->second.listed->state == MessageState::deferred;
      entry = rests ? finish(entry, receipt_of_left(entry->second)) : std::next(entry);
    }
  }
  return receipts;
}

Receipt FlushFollower::receipt_of_gone(const Entry& entry) const {
  Receipt receipt{entry.id, "", "", entry.seen.size, entry.seen.message_id, {}, {}, {}, ""};
  for (const Recipient& r : entry.seen.recipients) {
    if (r.finished()) continue;
    const RecipientResult* fate = entry.fate_of(r.address);
    RecipientResult result = fate == nullptr ? RecipientResult() : *fate;
    if (fate == nullptr && entry.whole) result = *entry.whole;
    // Whoever was put off and is gone now was given up, if somebody said so of the message, and else was taken later.
    if (entry.whole && result.outcome != Outcome::sent) result.outcome = Outcome::refused;
    if (!is_final(result)) {
      // Nobody has what somebody removed; it was not given up either.
      if (entry.removed || entry.taken_out.contains(to_lower(r.address))) continue;
      result = RecipientResult();
      result.outcome = entry.requeued ? Outcome::in_doubt : Outcome::sent;
      if (entry.requeued) result.text = "requeued meanwhile; its new id is not known";
    }
    result.address = r.address;
    receipt.recipients.push_back(std::move(result));
  }
  const bool unknown = receipt.recipients.empty() && !entry.removed && entry.taken_out.empty();
  if (unknown) receipt.recipients.push_back({"", entry.requeued ? Outcome::in_doubt : Outcome::sent, 0, "", ""});
  return receipt;
}

Receipt FlushFollower::receipt_of_left(const Entry& entry) const {
  const QueuedMessage& now = entry.listed ? *entry.listed : entry.seen;
  Receipt receipt{entry.id, "", "", now.size, now.message_id, {}, now.next_attempt(), {}, ""};
  bool unreachable = true;
  for (const Recipient& r : entry.seen.recipients) {
    if (r.finished()) continue;
    const Recipient* waits = listed_recipient(now, r.address);
    const auto told = entry.fates.find(to_lower(r.address));
    const RecipientResult* fate = told != entry.fates.end() ? &told->second : waits == nullptr ? entry.fate_of(r.address) : nullptr;
    // The listing's reason is newer than the one that was seen.
    RecipientResult result = fate != nullptr ? *fate : result_for(waits != nullptr && !waits->reason.empty() ? *waits : r);
    result.address = r.address;
    if (waits != nullptr) {
      // The log is read after the listing. Exim takes who was refused out of the message when all are through.
      const bool newer = result.outcome == Outcome::sent ? now.state == MessageState::sending : now.state != MessageState::held;
      if (fate == nullptr || !is_final(result) || !newer) {
        if (result.outcome == Outcome::sent) result = {r.address, Outcome::deferred, 0, "", ""};
        result.outcome = Outcome::deferred;
        if (result.text.empty() && result.code == 0) take_account(result, waits->reason);
        if (now.state == MessageState::held) result = {r.address, Outcome::deferred, 0, "", "held"};
        // Who has replied could be reached, whatever his words are.
        unreachable = unreachable && result.code == 0 && says_unreachable(result.text);
      }
    } else if (!is_final(result)) {
      if (entry.taken_out.contains(to_lower(r.address))) continue;
      // No longer listed: it has the message.
      result = {r.address, Outcome::sent, 0, "", ""};
    }
    receipt.recipients.push_back(std::move(result));
  }
  const bool unreadable = receipt.recipients.empty() && entry.taken_out.empty();
  if (unreadable) receipt.recipients.push_back({"", Outcome::deferred, 0, "", "its file cannot be read"});
  if (unreachable && receipt.left()) receipt.cause = Errc::next_hop_unreachable;
  return receipt;
}

std::vector<Receipt> FlushFollower::give_up(Errc cause, const std::string& why) {
  std::vector<Receipt> receipts;
  for (const auto& [id, entry] : entries_) {
    // What is not listed any more is gone, even if the last look could not be confirmed.
    Receipt receipt = entry.listed || entry.absences == 0 ? receipt_of_left(entry) : receipt_of_gone(entry);
    if (receipt.recipients.empty()) {
      ++removed_;
      continue;
    }
    if (receipt.left()) receipt.cause = cause;
    for (RecipientResult& r : receipt.recipients) {
      if (!why.empty() && !is_final(r)) r = {r.address, r.outcome, 0, "", why};
    }
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
