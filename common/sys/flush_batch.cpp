// SPDX-License-Identifier: MIT
#include "sys/flush_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/dsn.hpp"
#include "sys/random_name.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

using mail::Outcome;
using mail::QueuedMessage;
using mail::RecipientResult;
using mail::RecipientState;

constexpr std::size_t kClaimAhead = 16;
constexpr std::size_t kReadAhead = 1 << 20;

// Urgent first, then by priority, then small before large, then by age.
bool goes_before(const QueuedMessage& a, const QueuedMessage& b) {
  if (a.priority != b.priority) return a.priority > b.priority;
  if (a.size != b.size) return a.size < b.size;
  return a.id < b.id;
}

std::string reason_of(const RecipientResult& result) {
  std::string out = result.code == 0 ? "" : std::to_string(result.code) + " ";
  if (!result.enhanced.empty()) out += result.enhanced + " ";
  return out + result.text;
}

const mail::Recipient* find_recipient(const QueuedMessage& message, const std::string& address) {
  for (const mail::Recipient& r : message.recipients) {
    if (r.address == address) return &r;
  }
  return nullptr;
}

std::string_view event_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::sent: return "mail.sent";
    case Outcome::deferred: return "mail.deferred";
    case Outcome::refused: return "mail.bounced";
    case Outcome::in_doubt: return "mail.in-doubt";
    case Outcome::not_tried: break;
  }
  return "mail.left";
}

}  // namespace

bool FlushHop::serves(const config::Connector* other) const { return std::find(all.begin(), all.end(), other) != all.end(); }

FlushBatch::FlushBatch(Spool& spool, const config::Config& config, EventSink& events, std::string host, std::string lane,
                       Callbacks callbacks)
    : spool_(spool), config_(config), events_(events), host_(std::move(host)), lane_(std::move(lane)),
      callbacks_(std::move(callbacks)), choice_(config) {}

bool FlushBatch::ours(const config::Connector* connector) const {
  return connector != nullptr && mail::lease_name(*connector) == lane_ && !mail::why_unusable(*connector) &&
         callbacks_.in_scope(*connector);
}

void FlushBatch::add(QueuedMessage message, bool in_snapshot) {
  seen_.insert(message.id);
  if (in_snapshot) ++taken_on_;
  std::string id = message.id;
  entries_.emplace(std::move(id), Entry{std::move(message), in_snapshot});
}

std::vector<std::string> FlushBatch::waiting() const {
  std::vector<std::string> ids;
  for (const auto& [id, entry] : entries_) ids.push_back(id);
  return ids;
}

std::vector<FlushHop> FlushBatch::hops() const {
  std::vector<FlushHop> hops;
  for (const config::Connector& connector : config_.connectors) {
    if (!ours(&connector)) continue;
    const auto same = std::find_if(hops.begin(), hops.end(), [&](const FlushHop& hop) {
      return hop.connector->host == connector.host && hop.connector->port == connector.port &&
             hop.connector->source_address == connector.source_address && hop.connector->helo == connector.helo;
    });
    if (same != hops.end()) same->all.push_back(&connector);
    else hops.push_back({&connector, {&connector}});
  }
  return hops;
}

std::vector<std::string> FlushBatch::recipients_for(const Entry& entry, const FlushHop& hop) {
  std::vector<std::string> out;
  for (const mail::Recipient& r : entry.message.recipients) {
    const config::Connector* connector = choice_.choose(r.address).connector;
    if (r.finished() || !ours(connector) || !hop.serves(connector)) continue;
    const bool done = std::any_of(entry.results.begin(), entry.results.end(),
                                  [&](const RecipientResult& result) { return result.address == r.address; });
    if (!done) out.push_back(r.address);
  }
  return out;
}

std::size_t FlushBatch::due(const FlushHop& hop) const {
  auto* self = const_cast<FlushBatch*>(this);
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return !self->recipients_for(entry.second, hop).empty();
  }));
}

bool FlushBatch::complete(const Entry& entry) {
  const auto waiting = std::count_if(entry.message.recipients.begin(), entry.message.recipients.end(), [&](const mail::Recipient& r) {
    return !r.finished() && ours(choice_.choose(r.address).connector);
  });
  return entry.results.size() >= static_cast<std::size_t>(waiting);
}

Result<void> FlushBatch::refresh() {
  std::map<std::string, QueuedMessage> now;
  LONGLINE_CHECK(spool_.visit(Box::queue, [&](QueuedMessage&& message) {
    if (entries_.contains(message.id)) now.emplace(message.id, std::move(message));
    return true;
  }));
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto found = now.find(entry->first);
    if (found == now.end()) {
      entry = entries_.erase(entry);
      continue;
    }
    entry->second.message = std::move(found->second);
    entry = complete(entry->second) ? entries_.erase(entry) : std::next(entry);
  }
  return {};
}

// ---- the source

void FlushBatch::start_hop(const FlushHop& hop, bool take_new) {
  hop_ = hop;
  take_new_ = take_new;
  sent_in_hop_ = 0;
  queue_.clear();
  claimed_.clear();
  for (const auto& [id, entry] : entries_) queue_for_hop(entry);
}

void FlushBatch::queue_for_hop(const Entry& entry) {
  if (recipients_for(entry, hop_).empty()) return;
  const auto place = std::find_if(queue_.begin(), queue_.end(), [&](const std::string& id) {
    return goes_before(entry.message, entries_.at(id).message);
  });
  queue_.insert(place, entry.message.id);
}

void FlushBatch::look_for_new() {
  const Result<bool> changed = spool_.changed_by_others();
  if (!std::exchange(made_some_, false) && !(changed && *changed)) return;
  std::vector<QueuedMessage> found;
  const auto visited = spool_.visit(Box::queue, [&](QueuedMessage&& message) {
    if (message.state != mail::MessageState::held && !seen_.contains(message.id)) found.push_back(std::move(message));
    return true;
  });
  if (!visited) return;
  for (QueuedMessage& message : found) {
    const bool for_hop = std::any_of(message.recipients.begin(), message.recipients.end(), [&](const mail::Recipient& r) {
      return !r.finished() && hop_.serves(choice_.choose(r.address).connector);
    });
    if (!for_hop) continue;
    const std::string id = message.id;
    add(std::move(message), false);
    queue_for_hop(entries_.at(id));
  }
}

void FlushBatch::claim_more() {
  std::vector<std::string> wanted;
  while (!queue_.empty() && wanted.size() < kClaimAhead) {
    wanted.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (wanted.empty()) return;
  Result<std::vector<std::string>> claimed = spool_.claim(wanted);
  if (!claimed) {
    source_failure_ = claimed.error();
    return;
  }
  claimed_.assign(claimed->begin(), claimed->end());
  for (const std::string& id : wanted) {
    if (std::find(claimed_.begin(), claimed_.end(), id) != claimed_.end()) continue;
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    // Removed meanwhile: nothing is left of it. Otherwise somebody holds it back.
    if (spool_.find(id)) {
      Entry& entry = found->second;
      entry.cause = Errc::busy;
      entry.reason = "held, or another flush is sending it";
      for (const std::string& address : recipients_for(entry, hop_)) entry.results.push_back({address, Outcome::not_tried, 0, "", ""});
      callbacks_.on_receipt(receipt_of(entry), entry.in_snapshot);
    }
    entries_.erase(found);
  }
}

std::optional<mail::Outgoing> FlushBatch::next_message() {
  if (source_failure_) return std::nullopt;
  if (claimed_.empty()) {
    if (queue_.empty() && take_new_) look_for_new();
    while (claimed_.empty() && !queue_.empty() && !source_failure_) claim_more();
  }
  if (claimed_.empty()) return std::nullopt;
  const Entry& entry = entries_.at(claimed_.front());
  claimed_.pop_front();
  mail::Outgoing out;
  out.id = entry.message.id;
  out.sender = entry.message.sender;
  out.recipients = recipients_for(entry, hop_);
  out.size = static_cast<std::uint64_t>(entry.message.size);
  out.eight_bit = entry.message.eight_bit;
  return out;
}

Result<std::string> FlushBatch::read_body(const std::string& id, std::uint64_t offset, std::size_t most) {
  const bool ahead = id == body_id_ && offset >= body_offset_ && offset < body_offset_ + body_.size();
  if (!ahead) {
    // The blob is closed at once: an open one would hold the spool's past, and nothing could be recorded.
    LONGLINE_TRY(SpoolBody body, spool_.open_body(id));
    LONGLINE_TRY(body_, body.read(static_cast<std::int64_t>(offset), std::max(most, kReadAhead)));
    body_id_ = id;
    body_offset_ = offset;
  }
  return body_.substr(static_cast<std::size_t>(offset - body_offset_), most);
}

// ---- results

Result<void> FlushBatch::mark_in_doubt(const std::vector<mail::InFlight>& messages) { return spool_.mark_in_doubt(messages); }

RecipientUpdate FlushBatch::update_for(const Entry& entry, RecipientResult& result, std::vector<mail::DsnRecipient>& failed) {
  static const mail::Recipient kUnknown{};
  const mail::Recipient* found = find_recipient(entry.message, result.address);
  const mail::Recipient& before = found == nullptr ? kUnknown : *found;
  const WallTime now = wall_now();
  const config::Connector* connector = choice_.choose(result.address).connector;
  const bool expired = connector != nullptr && mail::has_expired(entry.message.arrived, connector->expire, now) &&
                       (result.outcome == Outcome::deferred ||
                        (result.outcome == Outcome::not_tried && entry.cause == Errc::next_hop_unreachable));
  if (expired) {
    result.outcome = Outcome::refused;
    result.text = fmt::format("given up after {}: {}", format_duration(connector->expire), reason_of(result));
    result.code = 0;
    result.enhanced = "4.4.7";
  }
  RecipientUpdate update{result.address, before.state, before.reason, before.next_attempt};
  switch (result.outcome) {
    case Outcome::sent: update = {result.address, RecipientState::delivered, reason_of(result), {}}; break;
    case Outcome::deferred:
      update = {result.address, RecipientState::deferred, reason_of(result), now + mail::retry_delay(entry.message.attempts + 1)};
      break;
    case Outcome::refused:
      update = {result.address, RecipientState::refused, reason_of(result), {}};
      failed.push_back({result.address, result.code, result.enhanced, result.text, hop_.connector == nullptr ? "" : hop_.connector->host});
      break;
    case Outcome::in_doubt:
      update = {result.address, RecipientState::in_doubt, "the line was cut after the last byte and before the reply", {}};
      break;
    case Outcome::not_tried:
      if (before.state == RecipientState::waiting && !result.text.empty()) update.reason = result.text;
      break;
  }
  return update;
}

Result<std::optional<mail::Submission>> FlushBatch::notification(const Entry& entry, std::vector<mail::DsnRecipient> failed) {
  if (failed.empty() || entry.message.sender.empty()) return std::optional<mail::Submission>();
  constexpr std::size_t kHeader = 64 * 1024;
  LONGLINE_TRY(SpoolBody body, spool_.open_body(entry.message.id));
  LONGLINE_TRY(const std::string content, body.read(0, kHeader));
  mail::DsnRequest request;
  request.original_sender = entry.message.sender;
  request.original_content = content;
  request.arrived = entry.message.arrived;
  request.failed = std::move(failed);
  request.host = host_;
  request.now = wall_now();
  request.unique = random_name();
  std::optional<mail::StoredMessage> dsn = mail::make_dsn(request);
  if (!dsn) return std::optional<mail::Submission>();
  mail::Submission submission;
  (choice_.choose(entry.message.sender).local ? submission.local_recipients : submission.recipients) = {entry.message.sender};
  submission.content = std::move(dsn->content);
  submission.eight_bit = dsn->eight_bit;
  submission.message_id = dsn->message_id;
  submission.subject = dsn->subject;
  return std::optional<mail::Submission>(std::move(submission));
}

mail::Receipt FlushBatch::receipt_of(const Entry& entry) const {
  mail::Receipt receipt;
  receipt.id = entry.message.id;
  receipt.size = entry.message.size;
  receipt.message_id = entry.message.message_id;
  receipt.recipients = entry.results;
  receipt.next_attempt = entry.next_attempt;
  receipt.cause = entry.cause;
  receipt.reason = entry.reason;
  if (!entry.results.empty()) {
    const config::Connector* connector = choice_.choose(entry.results.front().address).connector;
    if (connector != nullptr) {
      receipt.connector = connector->name;
      receipt.link = connector->link;
    }
  }
  return receipt;
}

void FlushBatch::emit(const Entry& entry, const RecipientResult& result) {
  Event event{std::string(event_name(result.outcome))};
  event.message = entry.message.id;
  if (hop_.connector != nullptr) {
    event.connector = hop_.connector->name;
    event.link = hop_.connector->link;
  }
  event.text = reason_of(result);
  event.more.set("recipient", result.address).set("sender", entry.message.sender).set("size", entry.message.size);
  events_.emit(event);
}

Result<void> FlushBatch::record(const std::vector<mail::MessageResult>& results) {
  std::vector<MessageUpdate> updates;
  std::vector<std::string> touched;
  std::vector<std::pair<std::string, RecipientResult>> events;
  for (const mail::MessageResult& result : results) {
    const auto found = entries_.find(result.id);
    if (found == entries_.end()) continue;
    Entry& entry = found->second;
    MessageUpdate update;
    update.id = result.id;
    std::vector<mail::DsnRecipient> failed;
    for (RecipientResult r : result.recipients) {
      update.recipients.push_back(update_for(entry, r, failed));
      update.counts = update.counts || r.outcome == Outcome::deferred || r.outcome == Outcome::refused;
      const auto next = update.recipients.back().next_attempt;
      if (r.outcome == Outcome::deferred && (!entry.next_attempt || *next < *entry.next_attempt)) entry.next_attempt = next;
      if (r.outcome != Outcome::not_tried) events.emplace_back(result.id, r);
      entry.results.push_back(std::move(r));
    }
    LONGLINE_TRY(update.notification, notification(entry, std::move(failed)));
    const bool done = result.last && complete(entry);
    update.ends = done;
    if (done) update.receipt = to_json(receipt_of(entry)).dump();
    updates.push_back(std::move(update));
    if (done) touched.push_back(result.id);
  }
  LONGLINE_TRY(const std::vector<std::string> notifications, spool_.record(updates, wall_now()));
  for (const auto& [id, result] : events) emit(entries_.at(id), result);
  for (const std::string& id : notifications) {
    made_some_ = true;
    Event event{"mail.notified"};
    event.message = id;
    events_.emit(event);
  }
  for (const std::string& id : touched) {
    const Entry& entry = entries_.at(id);
    ++done_;
    const mail::Receipt receipt = receipt_of(entry);
    if (receipt.outcome() == Outcome::sent) ++sent_in_hop_;
    callbacks_.on_receipt(receipt, entry.in_snapshot);
    entries_.erase(id);
  }
  return {};
}

Result<void> FlushBatch::refuse_too_large(const FlushHop& hop) {
  hop_ = hop;
  std::vector<mail::MessageResult> results;
  for (const auto& [id, entry] : entries_) {
    mail::MessageResult result;
    result.id = id;
    for (const std::string& address : recipients_for(entry, hop)) {
      const auto why = mail::why_too_large(*choice_.choose(address).connector, entry.message.size);
      if (why) result.recipients.push_back({address, Outcome::refused, 0, "5.3.4", *why});
    }
    if (!result.recipients.empty()) results.push_back(std::move(result));
  }
  return results.empty() ? Result<void>() : record(results);
}

Result<void> FlushBatch::give_up(const FlushHop& hop, const Error& why, bool writes) {
  hop_ = hop;
  std::vector<mail::MessageResult> results;
  for (auto& [id, entry] : entries_) {
    mail::MessageResult result;
    result.id = id;
    for (const std::string& address : recipients_for(entry, hop)) {
      result.recipients.push_back({address, Outcome::not_tried, 0, "", escape_at_most(why.message(), 400)});
    }
    if (result.recipients.empty()) continue;
    entry.cause = why.code;
    results.push_back(std::move(result));
  }
  if (writes) return record(results);
  for (const mail::MessageResult& result : results) {
    Entry& entry = entries_.at(result.id);
    entry.results.insert(entry.results.end(), result.recipients.begin(), result.recipients.end());
    if (!complete(entry)) continue;
    callbacks_.on_receipt(receipt_of(entry), entry.in_snapshot);
    entries_.erase(result.id);
  }
  return {};
}

}  // namespace longline::sys
