// SPDX-License-Identifier: MIT
#include "sys/queue/spool_queue.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "sys/spool/sender_notice.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

// What concerns one message stays with it; what concerns the file concerns all.
bool is_of_message(Errc code) { return code == Errc::not_found || code == Errc::busy || code == Errc::usage; }

}  // namespace

std::string SpoolQueue::canonical_id(std::string id) const {
  const auto sequence = mail::parse_id(id);
  return sequence ? mail::format_id(*sequence) : to_lower(id);
}

Result<void> SpoolQueue::read(const std::string& id, const Sink& sink) {
  constexpr std::size_t kPiece = 1 << 20;
  LONGLINE_TRY(SpoolBody body, spool_.open_body(id));
  for (std::int64_t offset = 0; offset < body.size();) {
    LONGLINE_TRY(const std::string piece, body.read(offset, kPiece));
    offset += static_cast<std::int64_t>(piece.size());
    if (piece.empty() || !sink(piece)) break;
  }
  return {};
}

Result<void> SpoolQueue::bounce(const std::string& id) {
  LONGLINE_TRY(const mail::QueuedMessage message, spool_.find(id));
  // Somebody who received it may be its sender; a notification about the inbox would make no sense.
  if (message.inbox) return Error(Errc::usage, "message " + id + ": received mail cannot be bounced", Stage::queue);
  std::vector<mail::DsnRecipient> failed;
  for (const mail::Recipient& r : message.recipients) {
    if (r.finished()) continue;
    failed.push_back({r.address, 0, "5.0.0", r.reason.empty() ? "returned by the operator" : "returned by the operator; before: " + r.reason, "", ""});
  }
  LONGLINE_TRY(mail::DsnWishes wishes, spool_.wishes(id));
  std::erase_if(failed, [&](const mail::DsnRecipient& r) { return !wishes.of(r.address).wants_failure(); });
  LONGLINE_TRY(const std::optional<mail::Submission> notification,
               sender_notice(spool_, choice_, host_, message, {mail::DsnAction::failed, std::move(failed), std::move(wishes)}));
  return spool_.bounce(id, notification, wall_now()).map([](const auto&) {});
}

Result<void> SpoolQueue::change_one(mail::QueueChange change, const std::string& id) {
  switch (change) {
    case mail::QueueChange::hold: return spool_.set_held(id, true);
    case mail::QueueChange::release: return spool_.set_held(id, false);
    case mail::QueueChange::remove: return spool_.remove(id);
    case mail::QueueChange::bounce: return bounce(id);
    case mail::QueueChange::requeue: break;
  }
  return spool_.requeue(id);
}

/// So many in a transaction that neither the disk nor whoever else wants the spool waits for long.
template <typename Item, typename Change>
Result<std::vector<Result<void>>> SpoolQueue::each(const std::vector<Item>& items, const Change& change) {
  constexpr std::size_t kPortion = 500;
  std::vector<Result<void>> results;
  results.reserve(items.size());
  for (std::size_t begin = 0; begin < items.size(); begin += kPortion) {
    const std::size_t end = std::min(items.size(), begin + kPortion);
    LONGLINE_CHECK(spool_.together([&]() -> Result<void> {
      results.resize(begin);
      for (std::size_t i = begin; i < end; ++i) {
        Result<void> done = change(items[i]);
        if (!done && !is_of_message(done.error().code)) return done;
        results.push_back(std::move(done));
      }
      return {};
    }));
  }
  return results;
}

Result<std::vector<Result<void>>> SpoolQueue::change(mail::QueueChange change, const std::vector<mail::SeenMessage>& as_seen) {
  return each(as_seen, [&](const mail::SeenMessage& message) { return change_one(change, message.id); });
}

Result<std::vector<Result<void>>> SpoolQueue::remove_recipients(const std::vector<mail::MessagePart>& parts) {
  return each(parts, [&](const mail::MessagePart& part) {
    return spool_.remove_recipients(part.message.id, part.recipients, part.message.state == mail::MessageState::held);
  });
}

Result<void> SpoolQueue::trigger(const std::vector<std::string>&) {
  return Error(Errc::usage, "the spool has no mail system behind it; flush sends what is in it", Stage::queue);
}

}  // namespace longline::sys
