// SPDX-License-Identifier: MIT
// Reading the whole queue: two tables in the order of their keys side by side, which is twice as fast as SQLite's join.
#include <algorithm>

#include "sys/spool.hpp"

namespace longline::sys {
namespace {

using mail::QueuedMessage;

WallTime wall_time(std::int64_t ms) { return WallTime(Duration(ms)); }

QueuedMessage message_in(const SqliteStatement& row, Box box) {
  QueuedMessage message;
  message.id = mail::format_id(row.integer(0));
  message.inbox = box == Box::inbox;
  message.arrived = wall_time(row.integer(1));
  message.size = row.integer(2);
  message.sender = row.text(3);
  message.message_id = row.text(4);
  message.subject = row.text(5);
  message.priority = static_cast<int>(row.integer(6));
  message.eight_bit = row.integer(7) != 0;
  message.attempts = static_cast<int>(row.integer(8));
  return message;
}

// Whole queues wait for the same few reasons.
class Classes {
 public:
  mail::ReasonClass of(const std::string& reason) {
    if (reason.empty()) return mail::ReasonClass::none;
    if (reason != reason_) {
      reason_ = reason;
      class_ = mail::classify_reason(reason);
    }
    return class_;
  }

 private:
  std::string reason_;
  mail::ReasonClass class_ = mail::ReasonClass::none;
};

mail::Recipient recipient_in(const SqliteStatement& row, Classes& classes) {
  mail::Recipient recipient;
  recipient.address = row.text(1);
  recipient.state = static_cast<mail::RecipientState>(std::clamp<std::int64_t>(row.integer(2), 0, 4));
  recipient.reason = row.text(3);
  recipient.reason_class = classes.of(recipient.reason);
  if (const auto next = row.optional_integer(4)) recipient.next_attempt = wall_time(*next);
  return recipient;
}

}  // namespace

Result<void> Spool::visit(Box box, const std::function<bool(QueuedMessage&&)>& visitor) {
  if (!db_) return {};
  LONGLINE_TRY(const std::vector<std::int64_t> running, running_leases());
  // The first statement's read transaction is the second's too: both see one moment.
  LONGLINE_TRY(SqliteStatement messages,
               db_->prepare("SELECT seq, arrived, size, sender, message_id, subject, priority, eight_bit, attempts, held, lease "
                            "FROM messages WHERE box=? ORDER BY seq"));
  LONGLINE_TRY(SqliteStatement recipients, db_->prepare("SELECT seq, address, state, reason, next_attempt FROM recipients WHERE seq>=? ORDER BY seq, n"));
  LONGLINE_TRY(const auto done, bytes_done());
  messages.bind(1, static_cast<std::int64_t>(box));
  LONGLINE_TRY(bool row, messages.step());
  if (!row) return {};
  LONGLINE_TRY(bool more, recipients.bind(1, messages.integer(0)).step());
  Classes classes;
  while (row) {
    const std::int64_t sequence = messages.integer(0);
    QueuedMessage message = message_in(messages, box);
    while (more && recipients.integer(0) <= sequence) {
      if (recipients.integer(0) == sequence) message.recipients.push_back(recipient_in(recipients, classes));
      LONGLINE_TRY(more, recipients.step());
    }
    if (const auto begun = done.find(sequence); begun != done.end()) message.bytes_done = begun->second;
    const auto lease = messages.optional_integer(10);
    const bool leased = lease && std::find(running.begin(), running.end(), *lease) != running.end();
    message.state = mail::message_state(messages.integer(9) != 0, leased, message.recipients);
    if (!message.recipients.empty() && !visitor(std::move(message))) return {};
    LONGLINE_TRY(row, messages.step());
  }
  return {};
}

}  // namespace longline::sys
