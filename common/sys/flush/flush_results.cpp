// SPDX-License-Identifier: MIT
// What became of the messages of a FlushBatch: recorded, reported to senders, told as events and receipts.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "mail/dsn.hpp"
#include "sys/spool/sender_notice.hpp"
#include "sys/flush/flush_batch.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kPortion = 1000;

using mail::Outcome;
using mail::QueuedMessage;
using mail::RecipientResult;
using mail::RecipientState;

std::string reason_of(const RecipientResult& result) {
  std::string out = result.code == 0 ? "" : std::to_string(result.code) + " ";
  if (!result.enhanced.empty()) out += result.enhanced + " ";
  return out + result.text;
}

/// Of the peer, for a notification: a name that means something elsewhere too.
std::string remote_name(const FlushHop& hop) {
  if (hop.connector == nullptr || hop.connector->host == "mx") return "";
  return hop.connector->host == "line" ? hop.connector->peer_name : hop.connector->host;
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

Result<void> FlushBatch::mark_in_doubt(const std::vector<mail::InFlight>& messages) { return spool_.mark_in_doubt(messages); }

RecipientUpdate FlushBatch::update_for(const Work& work, RecipientResult& result, std::vector<mail::DsnRecipient>& failed) {
  static const mail::Recipient kUnknown{};
  const mail::Recipient* found = find_recipient(work.message, result.address);
  const mail::Recipient& before = found == nullptr ? kUnknown : *found;
  const WallTime now = wall_now();
  const config::Connector* connector = choice_.choose(result.address).connector;
  const bool expired = connector != nullptr && patience_.is_over(*connector, work.message.arrived, connector->expire, now) &&
                       (result.outcome == Outcome::deferred ||
                        (result.outcome == Outcome::not_tried && work.cause == Errc::next_hop_unreachable));
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
      // Attempts are counted for the message; who was not put off before has the first.
      update = {result.address, RecipientState::deferred, reason_of(result),
                now + mail::retry_delay(before.state == RecipientState::deferred ? work.message.attempts + 1 : 1)};
      break;
    case Outcome::refused:
      update = {result.address, RecipientState::refused, reason_of(result), {}};
      failed.push_back({result.address, result.code, result.enhanced, result.text, remote_name(hop_)});
      break;
    case Outcome::in_doubt:
      update = {result.address, RecipientState::in_doubt, "sent over the line to its last byte, and no reply came: " + result.text, {}};
      break;
    case Outcome::not_tried:
      if (before.state == RecipientState::waiting && !result.text.empty()) update.reason = result.text;
      break;
  }
  return update;
}

Result<std::optional<mail::Submission>> FlushBatch::notification(const Work& work, mail::DsnAction action, std::vector<mail::DsnRecipient> recipients,
                                                                 const mail::DsnWishes& wishes) {
  SenderNotice notice{action, std::move(recipients), wishes};
  const config::Connector* connector = notice.recipients.empty() ? nullptr : choice_.choose(notice.recipients.front().address).connector;
  if (connector != nullptr) notice.retry_until = patience_.expires(*connector, work.message.arrived);
  return sender_notice(spool_, choice_, host_, work.message, std::move(notice));
}

/// What was sent of a message: its bytes count once a transaction, however many recipients it had.
std::optional<Traffic> FlushBatch::traffic_of(const Work& work, const mail::MessageResult& result) const {
  const bool sent = std::any_of(result.recipients.begin(), result.recipients.end(), [](const RecipientResult& r) { return r.outcome == Outcome::sent; });
  if (!sent || hop_.connector == nullptr) return std::nullopt;
  Traffic traffic;
  traffic.connector = hop_.connector->name;
  traffic.sender = work.message.sender;
  traffic.messages_out = 1;
  traffic.bytes_out = work.message.size;
  return traffic;
}

Result<void> FlushBatch::warn_of_delay(const Work& work, MessageUpdate& update, const std::vector<RecipientResult>& left,
                                       const mail::DsnWishes& wishes) {
  const WallTime now = wall_now();
  std::vector<mail::DsnRecipient> late;
  for (const RecipientResult& r : left) {
    const config::Connector* connector = choice_.choose(r.address).connector;
    if (connector == nullptr || connector->delay_warning == Duration(0)) continue;
    if (!patience_.is_over(*connector, work.message.arrived, connector->delay_warning, now)) continue;
    late.push_back({r.address, r.code, r.enhanced, r.text, r.code == 0 ? "" : connector->host, ""});
  }
  if (late.empty() || work.message.sender.empty()) return {};
  LONGLINE_TRY(const bool told, spool_.was_warned(work.message.id));
  if (told) return {};
  std::erase_if(late, [&](const mail::DsnRecipient& r) { return !wishes.of(r.address).wants_delay(); });
  LONGLINE_TRY(update.notification, notification(work, mail::DsnAction::delayed, std::move(late), wishes));
  update.warns = update.notification.has_value();
  return {};
}

mail::Receipt FlushBatch::receipt_of(const Work& work) const {
  mail::Receipt receipt;
  receipt.id = work.message.id;
  receipt.size = work.message.size;
  receipt.message_id = work.message.message_id;
  receipt.recipients = work.results;
  receipt.next_attempt = work.next_attempt;
  receipt.cause = work.cause;
  receipt.reason = work.reason;
  if (!work.results.empty()) {
    const config::Connector* connector = choice_.choose(work.results.front().address).connector;
    if (connector != nullptr) {
      receipt.connector = connector->name;
      receipt.link = connector->link;
    }
  }
  return receipt;
}

void FlushBatch::emit(const QueuedMessage& message, const RecipientResult& result) {
  Event event{std::string(event_name(result.outcome))};
  event.message = message.id;
  if (hop_.connector != nullptr) {
    event.connector = hop_.connector->name;
    event.link = hop_.connector->link;
  }
  event.text = reason_of(result);
  event.more.set("recipient", result.address).set("sender", message.sender).set("size", message.size);
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
    Work& work = entry.begun();
    MessageUpdate update;
    update.id = result.id;
    std::vector<mail::DsnRecipient> failed;
    std::vector<RecipientResult> left;
    for (RecipientResult r : result.recipients) {
      update.recipients.push_back(update_for(work, r, failed));
      update.counts = update.counts || r.outcome == Outcome::deferred || r.outcome == Outcome::refused;
      const auto next = update.recipients.back().next_attempt;
      if (r.outcome == Outcome::deferred && (!work.next_attempt || *next < *work.next_attempt)) work.next_attempt = next;
      if (r.outcome != Outcome::not_tried) events.emplace_back(result.id, r);
      const bool over = r.outcome == Outcome::sent || r.outcome == Outcome::refused;
      if (over && hop_.connector != nullptr && hop_.connector->protocol == config::Protocol::x400) update.ends_transfer = hop_.connector->name;
      if (r.code != 0 && r.code != mail::kServiceClosing) ++answered_in_hop_;
      if (r.outcome == Outcome::deferred || r.outcome == Outcome::not_tried) left.push_back(r);
      std::erase(entry.recipients, r.address);
      work.results.push_back(std::move(r));
    }
    update.counts = update.counts && callbacks_.counted->insert(result.id).second;
    LONGLINE_TRY(const mail::DsnWishes wishes, spool_.wishes(result.id));
    std::erase_if(failed, [&](const mail::DsnRecipient& r) { return !wishes.of(r.address).wants_failure(); });
    LONGLINE_TRY(update.notification, notification(work, mail::DsnAction::failed, std::move(failed), wishes));
    if (!update.notification && !left.empty()) LONGLINE_CHECK(warn_of_delay(work, update, left, wishes));
    if (!result.peer_notifies) {
      // The peer will not say when it has delivered the message: where it went is all that can be told (RFC 3461, 6.2.7.3).
      std::vector<mail::DsnRecipient> relayed;
      for (const RecipientResult& r : result.recipients) {
        if (r.outcome == Outcome::sent && wishes.of(r.address).wants_success()) relayed.push_back({r.address, 0, "2.0.0", "", "", ""});
      }
      LONGLINE_TRY(update.success_notice, notification(work, mail::DsnAction::relayed, std::move(relayed), wishes));
    }
    update.traffic = traffic_of(work, result);
    const bool done = result.last && complete(entry);
    update.ends = done;
    if (done) update.receipt = to_json(receipt_of(work)).dump();
    updates.push_back(std::move(update));
    if (done) touched.push_back(result.id);
  }
  LONGLINE_TRY(const std::vector<std::string> notifications, spool_.record(updates, wall_now()));
  for (const auto& [id, result] : events) emit(entries_.at(id).work->message, result);
  for (const std::string& id : notifications) {
    made_some_ = true;
    Event event{"mail.notified"};
    event.message = id;
    events_.emit(event);
  }
  for (const std::string& id : touched) {
    if (close(id)) ++sent_in_hop_;
  }
  return {};
}

Result<void> FlushBatch::record_tried(const std::vector<mail::MessageResult>& results) {
  std::vector<mail::MessageResult> tried;
  for (mail::MessageResult result : results) {
    std::erase_if(result.recipients, [](const RecipientResult& r) { return r.outcome == Outcome::not_tried; });
    if (!result.recipients.empty()) tried.push_back(std::move(result));
  }
  return tried.empty() ? Result<void>() : record(tried);
}

Result<void> FlushBatch::judge(const FlushHop& hop, const Verdict& verdict, const Sink& sink) {
  hop_ = hop;
  auto next = entries_.begin();
  while (next != entries_.end()) {
    std::vector<mail::MessageResult> results;
    std::string last;
    for (; next != entries_.end() && results.size() < kPortion; ++next) {
      mail::MessageResult result;
      result.id = last = next->first;
      for (const std::string& address : recipients_for(next->second, hop)) {
        if (std::optional<RecipientResult> r = verdict(next->second, address)) result.recipients.push_back(std::move(*r));
      }
      if (!result.recipients.empty()) results.push_back(std::move(result));
    }
    LONGLINE_CHECK(read(results));
    if (!results.empty()) LONGLINE_CHECK(sink(std::move(results)));
    // What is done has gone from the entries.
    next = entries_.upper_bound(last);
  }
  return {};
}

Result<void> FlushBatch::read(std::vector<mail::MessageResult>& results) {
  if (results.empty()) return {};
  std::set<std::string> unread;
  for (const mail::MessageResult& result : results) {
    const Entry& entry = entries_.at(result.id);
    if (!entry.work || entry.work->message.id.empty()) unread.insert(result.id);
  }
  if (!unread.empty()) {
    LONGLINE_CHECK(spool_.visit_from_to(Box::queue, *unread.begin(), *unread.rbegin(), [&](QueuedMessage&& message) {
      const auto wanted = unread.find(message.id);
      if (wanted == unread.end()) return true;
      adopt(entries_.at(*wanted), std::move(message));
      unread.erase(wanted);
      return true;
    }));
  }
  for (mail::MessageResult& result : results) {
    const std::vector<std::string>& waiting = entries_.at(result.id).recipients;
    std::erase_if(result.recipients, [&](const RecipientResult& r) { return std::find(waiting.begin(), waiting.end(), r.address) == waiting.end(); });
    if (unread.contains(result.id)) result.recipients.clear();
  }
  for (const std::string& id : unread) drop(id);
  std::erase_if(results, [](const mail::MessageResult& result) { return result.recipients.empty(); });
  return {};
}

Result<void> FlushBatch::refuse_too_large(const FlushHop& hop, std::int64_t peer_limit) {
  const Verdict verdict = [&](const Entry& entry, const std::string& address) -> std::optional<RecipientResult> {
    auto why = mail::why_too_large(*choice_.choose(address).connector, entry.size);
    if (!why && peer_limit > 0 && entry.size > peer_limit) {
      why = fmt::format("the message has {}, the peer takes {}", format_size(entry.size), format_size(peer_limit));
    }
    if (!why) return std::nullopt;
    return RecipientResult{address, Outcome::refused, 0, "5.3.4", *why};
  };
  return judge(hop, verdict, [this](std::vector<mail::MessageResult> results) { return record(results); });
}

Result<void> FlushBatch::refuse(const FlushHop& hop, const std::string& enhanced, const std::string& text) {
  const Verdict verdict = [&](const Entry&, const std::string& address) { return RecipientResult{address, Outcome::refused, 0, enhanced, text}; };
  return judge(hop, verdict, [this](std::vector<mail::MessageResult> results) { return record(results); });
}

Result<void> FlushBatch::give_up(const FlushHop& hop, const Error& why, bool writes, Rest rest) {
  const Verdict verdict = [&](Entry& entry, const std::string& address) -> std::optional<RecipientResult> {
    if (entry.is_elsewhere && rest == Rest::but_elsewhere) return std::nullopt;
    Work& work = entry.begun();
    const Error& reason = work.held_back ? *work.held_back : why;
    work.cause = reason.code;
    return RecipientResult{address, Outcome::not_tried, 0, "", printable_at_most(reason.message(), 400)};
  };
  return judge(hop, verdict, [&](std::vector<mail::MessageResult> results) { return writes ? record(results) : settle(std::move(results)); });
}

Result<void> FlushBatch::settle(std::vector<mail::MessageResult> results) {
  for (mail::MessageResult& result : results) {
    Entry& entry = entries_.at(result.id);
    for (RecipientResult& r : result.recipients) {
      std::erase(entry.recipients, r.address);
      entry.begun().results.push_back(std::move(r));
    }
    if (complete(entry)) close(result.id);
  }
  return {};
}

}  // namespace longline::sys
