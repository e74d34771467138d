// SPDX-License-Identifier: MIT
#include "sys/flush_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "sys/local_clock.hpp"

namespace longline::sys {
namespace {

using mail::Outcome;
using mail::QueuedMessage;
using mail::RecipientResult;

constexpr std::size_t kClaimAhead = 16;
constexpr std::size_t kReadAhead = 1 << 20;

// Urgent first, then by priority, then small before large, then by age.
bool goes_before(const QueuedMessage& a, const QueuedMessage& b) {
  if (a.priority != b.priority) return a.priority > b.priority;
  if (a.size != b.size) return a.size < b.size;
  return a.id < b.id;
}

/// One connection serves both: the same peer, met in the same way.
bool shares_session(const config::Connector& a, const config::Connector& b) {
  const auto way = [](const config::Connector& c) {
    return std::tie(c.host, c.port, c.source_address, c.helo, c.peer_name, c.tls, c.tls_ca_file, c.tls_verify, c.tls_certificate, c.tls_key, c.user,
                    c.password.file, c.password.command, c.allow_plain_auth);
  };
  return way(a) == way(b);
}

}  // namespace

bool FlushHop::serves(const config::Connector* other) const { return std::find(all.begin(), all.end(), other) != all.end(); }

FlushBatch::FlushBatch(Spool& spool, const config::Config& config, EventSink& events, std::string host, std::string lane,
                       Callbacks callbacks)
    : spool_(spool), config_(config), events_(events), host_(std::move(host)), lane_(std::move(lane)),
      callbacks_(std::move(callbacks)), choice_(config), patience_(config, local_clock()) {}

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
      return shares_session(*hop.connector, connector);
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
  Result<mail::DsnWishes> wishes = spool_.wishes(entry.message.id);
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
