// SPDX-License-Identifier: MIT
#include "sys/flush/flush_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "mail/queue_backend.hpp"
#include "sys/local_clock.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

using mail::Outcome;
using mail::QueuedMessage;
using mail::RecipientResult;

constexpr std::size_t kClaimAhead = 16;
constexpr std::size_t kReadAhead = 1 << 20;

/// One connection serves both: the same peer, met in the same way.
bool shares_session(const config::Connector& a, const config::Connector& b) {
  const auto way = [](const config::Connector& c) {
    return std::tie(c.host, c.port, c.source_address, c.helo, c.peer_name, c.tls, c.tls_ca_file, c.tls_verify, c.tls_certificate, c.tls_key, c.user,
                    c.password.file, c.password.command, c.allow_plain_auth);
  };
  // An X.400 connector's transfers are its own.
  const bool smtp = a.protocol == config::Protocol::smtp && b.protocol == config::Protocol::smtp;
  return smtp && way(a) == way(b);
}

}  // namespace

bool FlushHop::serves(const config::Connector* other, std::string_view recipient) const {
  return std::find(all.begin(), all.end(), other) != all.end() && (domain.empty() || iequals(mail::domain_of(recipient), domain));
}

FlushBatch::FlushBatch(Spool& spool, const config::Config& config, EventSink& events, std::string host, std::string lane,
                       mail::ConnectorChoice choice, Callbacks callbacks)
    : spool_(spool), config_(config), events_(events), host_(std::move(host)), lane_(std::move(lane)),
      callbacks_(std::move(callbacks)), choice_(std::move(choice)), patience_(config, local_clock()) {}

bool FlushBatch::ours(const config::Connector* connector) const {
  return connector != nullptr && mail::lease_name(*connector) == lane_ && callbacks_.in_scope(*connector);
}

FlushShare share_of(const QueuedMessage& message) {
  return {message.id, message.size, message.arrived, message.priority, mail::rests(message, wall_now())};
}

void FlushBatch::add(FlushShare share) {
  std::string id = share.id;
  entries_.emplace(std::move(id), Entry{std::move(share)});
}

void FlushBatch::drop(const std::string& id) {
  if (entries_.erase(id) > 0) dropped_.insert(id);
}

bool FlushBatch::close(const std::string& id) {
  const Entry& entry = entries_.at(id);
  bool sent = false;
  if (entry.work && !entry.work->results.empty()) {
    const mail::Receipt receipt = receipt_of(*entry.work);
    sent = receipt.outcome() == Outcome::sent;
    callbacks_.on_receipt(receipt, entry.in_snapshot);
  }
  drop(id);
  return sent;
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
    if (connector.host == "mx") {
      for (const std::string& domain : domains_of(connector)) hops.push_back({&connector, {&connector}, domain});
      continue;
    }
    const auto same = std::find_if(hops.begin(), hops.end(), [&](const FlushHop& hop) {
      return shares_session(*hop.connector, connector);
    });
    if (same != hops.end()) same->all.push_back(&connector);
    else hops.push_back({&connector, {&connector}});
  }
  return hops;
}

std::set<std::string> FlushBatch::domains_of(const config::Connector& connector) const {
  std::set<std::string> domains;
  for (const auto& [id, entry] : entries_) {
    for (const std::string& address : entry.recipients) {
      if (choice_.choose(address).connector == &connector) domains.insert(to_lower(mail::domain_of(address)));
    }
  }
  return domains;
}

std::vector<std::string> FlushBatch::recipients_for(const Entry& entry, const FlushHop& hop) const {
  std::vector<std::string> out;
  for (const std::string& address : entry.recipients) {
    const config::Connector* connector = choice_.choose(address).connector;
    if (ours(connector) && hop.serves(connector, address)) out.push_back(address);
  }
  return out;
}

std::size_t FlushBatch::due(const FlushHop& hop) const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return !entry.second.is_elsewhere && !recipients_for(entry.second, hop).empty();
  }));
}

bool FlushBatch::complete(const Entry& entry) const {
  return std::none_of(entry.recipients.begin(), entry.recipients.end(), [&](const std::string& address) { return ours(choice_.choose(address).connector); });
}

void FlushBatch::let_go(Entry& entry, std::vector<std::string> addresses, LetGo& out) {
  if (addresses.empty()) return;
  std::erase_if(entry.recipients, [&](const std::string& one) { return std::find(addresses.begin(), addresses.end(), one) != addresses.end(); });
  FlushShare& share = out.shares.emplace_back(entry);
  share.recipients = std::move(addresses);
}

void FlushBatch::drop_empty(LetGo& out) {
  for (const FlushShare& share : out.shares) {
    const auto found = entries_.find(share.id);
    if (found == entries_.end() || !complete(found->second)) continue;
    if (!found->second.work || found->second.work->results.empty()) out.gone.push_back(share.id);
    close(share.id);
  }
}

FlushBatch::LetGo FlushBatch::hand_over(const FlushHop& hop, const std::function<bool(const std::string&)>& which) {
  LetGo out;
  for (auto& [id, entry] : entries_) {
    std::vector<std::string> addresses = recipients_for(entry, hop);
    std::erase_if(addresses, [&](const std::string& address) { return !which(address); });
    let_go(entry, std::move(addresses), out);
  }
  drop_empty(out);
  return out;
}

FlushBatch::LetGo FlushBatch::reroute(mail::ConnectorChoice choice) {
  choice_ = std::move(choice);
  LetGo out;
  for (auto& [id, entry] : entries_) {
    std::vector<std::string> addresses = entry.recipients;
    std::erase_if(addresses, [&](const std::string& address) { return ours(choice_.choose(address).connector); });
    let_go(entry, std::move(addresses), out);
  }
  drop_empty(out);
  return out;
}

Result<void> FlushBatch::refresh() {
  for (auto& [id, entry] : entries_) entry.is_there = false;
  LONGLINE_CHECK(spool_.visit(Box::queue, [&](QueuedMessage&& message) {
    const auto found = entries_.find(message.id);
    if (found == entries_.end()) return true;
    Entry& entry = found->second;
    entry.is_elsewhere = message.state == mail::MessageState::sending;   // we have begun none
    entry.is_there = true;
    if (entry.work) adopt(entry, std::move(message));
    else mail::keep_waiting(entry.recipients, message);
    return true;
  }));
  std::vector<std::string> gone;
  for (const auto& [id, entry] : entries_) {
    if (!entry.is_there || complete(entry)) gone.push_back(id);
  }
  for (const std::string& id : gone) drop(id);
  return {};
}

void FlushBatch::adopt(Entry& entry, QueuedMessage&& now) const {
  mail::keep_waiting(entry.recipients, now);
  now.subject = std::string();
  if (callbacks_.counted->contains(now.id)) --now.attempts;   // of before this flush
  entry.begun().message = std::move(now);
}

// ---- the source

void FlushBatch::start_hop(const FlushHop& hop, bool take_new) {
  hop_ = hop;
  take_new_ = take_new;
  sent_in_hop_ = answered_in_hop_ = 0;
  order_time_ = wall_now();
  queue_.clear();
  claimed_.clear();
  for (const auto& [id, entry] : entries_) queue_for_hop(id, entry);
}

void FlushBatch::queue_for_hop(const std::string& id, const Entry& entry) {
  if (entry.is_elsewhere || recipients_for(entry, hop_).empty()) return;
  queue_.insert(mail::flush_place(id, entry.priority, entry.rests, entry.size, entry.arrived, order_time_));
}

void FlushBatch::hold_back(const std::string& id, Error why) { entries_.at(id).begun().held_back = std::move(why); }

bool FlushBatch::holds_back_all(const FlushHop& hop) {
  std::vector<std::pair<Entry*, Error>> refusals;
  for (auto& [id, entry] : entries_) {
    if (recipients_for(entry, hop).empty()) continue;
    std::optional<Error> why = callbacks_.refusal(entry.size);
    if (!why) return false;
    refusals.emplace_back(&entry, std::move(*why));
  }
  for (auto& [entry, why] : refusals) entry->begun().held_back = std::move(why);
  return true;
}

void FlushBatch::look_for_new() {
  const Result<bool> changed = spool_.changed_by_others();
  if (!std::exchange(made_some_, false) && !(changed && *changed)) return;
  std::vector<FlushShare> found;
  const auto visited = spool_.visit(Box::queue, [&](QueuedMessage&& message) {
    if (message.state == mail::MessageState::held || entries_.contains(message.id) || dropped_.contains(message.id)) return true;
    FlushShare share = share_of(message);
    share.in_snapshot = false;
    bool for_hop = false;
    for (const mail::Recipient& r : message.recipients) {
      const config::Connector* connector = choice_.choose(r.address).connector;
      if (r.finished() || !ours(connector)) continue;
      share.recipients.push_back(r.address);
      for_hop = for_hop || hop_.serves(connector, r.address);
    }
    if (for_hop) found.push_back(std::move(share));
    return true;
  });
  if (!visited) return;
  for (FlushShare& share : found) {
    const std::string id = share.id;
    add(std::move(share));
    queue_for_hop(id, entries_.at(id));
  }
}

void FlushBatch::claim_more() {
  std::vector<std::string> wanted;
  while (!queue_.empty() && wanted.size() < kClaimAhead) {
    std::string id = queue_.extract(queue_.begin()).value().id;
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    if (std::optional<Error> why = callbacks_.refusal(found->second.size)) hold_back(id, std::move(*why));
    else wanted.push_back(std::move(id));
  }
  if (wanted.empty()) return;
  Result<std::vector<std::string>> claimed = spool_.claim(wanted);
  if (!claimed) {
    source_failure_ = claimed.error();
    return;
  }
  for (const std::string& id : wanted) {
    if (std::find(claimed->begin(), claimed->end(), id) != claimed->end()) {
      if (see_claimed(id)) claimed_.push_back(id);
      continue;
    }
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    // Removed meanwhile: nothing is left of it. Otherwise somebody holds it back.
    if (Result<QueuedMessage> now = spool_.find(id)) {
      Entry& entry = found->second;
      entry.is_elsewhere = now->state != mail::MessageState::held;
      if (entry.is_elsewhere) continue;
      adopt(entry, std::move(*now));
      Work& work = entry.begun();
      work.reason = "held";
      for (const std::string& address : recipients_for(entry, hop_)) work.results.push_back({address, Outcome::not_tried, 0, "", ""});
    }
    close(id);
  }
}

/// Since it was seen recipients may have left it, or another flush may have served them. False: none is left for the hop.
bool FlushBatch::see_claimed(const std::string& id) {
  Entry& entry = entries_.at(id);
  Result<QueuedMessage> now = spool_.find(id);
  if (!now) source_failure_ = now.error();
  else adopt(entry, std::move(*now));
  if (source_failure_ || !recipients_for(entry, hop_).empty()) return !source_failure_;
  if (complete(entry)) close(id);
  return false;
}

std::vector<std::string> FlushBatch::elsewhere() const {
  std::vector<std::string> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.is_elsewhere) ids.push_back(id);
  }
  return ids;
}

void FlushBatch::ask_again_for_elsewhere() {
  for (auto& [id, entry] : entries_) {
    if (std::exchange(entry.is_elsewhere, false)) queue_for_hop(id, entry);
  }
  if (!queue_.empty()) claim_more();
}

std::optional<mail::Outgoing> FlushBatch::next_message() {
  if (source_failure_) return std::nullopt;
  if (claimed_.empty()) {
    if (queue_.empty() && take_new_) look_for_new();
    while (claimed_.empty() && !queue_.empty() && !source_failure_) claim_more();
    if (claimed_.empty() && !source_failure_) ask_again_for_elsewhere();
  }
  // Asked again now that it is its turn: others were begun since it was claimed.
  while (!claimed_.empty()) {
    std::optional<Error> why = callbacks_.refusal(entries_.at(claimed_.front()).size);
    if (!why) break;
    hold_back(claimed_.front(), std::move(*why));
    claimed_.pop_front();
    while (claimed_.empty() && !queue_.empty() && !source_failure_) claim_more();
  }
  if (claimed_.empty()) return std::nullopt;
  const Entry& entry = entries_.at(claimed_.front());
  claimed_.pop_front();
  callbacks_.on_begin(entry.size);
  const QueuedMessage& message = entry.work->message;
  mail::Outgoing out;
  out.id = message.id;
  out.sender = message.sender;
  out.recipients = recipients_for(entry, hop_);
  out.size = static_cast<std::uint64_t>(message.size);
  out.eight_bit = message.eight_bit;
  Result<mail::DsnWishes> wishes = spool_.wishes(message.id);
  if (!wishes) {
    source_failure_ = wishes.error();
    return std::nullopt;
  }
  out.dsn = std::move(*wishes);
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

}  // namespace longline::sys
