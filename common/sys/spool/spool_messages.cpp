// SPDX-License-Identifier: MIT
// The messages of the spool: adding, reading, changing, recording results.
#include <sqlite3.h>

#include "base/text.hpp"
#include "sys/spool/spool.hpp"
#include "sys/spool/stored_time.hpp"

namespace longline::sys {
namespace {

using mail::QueuedMessage;
using mail::RecipientState;

constexpr const char* kSelect =
    "SELECT m.seq, m.arrived, m.size, m.sender, m.message_id, m.subject, m.priority, m.eight_bit, m.held, "
    "m.lease IS NOT NULL AND m.lease IN (SELECT value FROM json_each(?2)), m.attempts, "
    "r.address, r.state, r.reason, r.next_attempt, m.box FROM messages m CROSS JOIN recipients r ON r.seq=m.seq ";
constexpr std::int64_t kReceiptsKept = 20'000;

std::optional<std::int64_t> optional_milliseconds(const std::optional<WallTime>& t) {
  return t ? std::optional<std::int64_t>(milliseconds(*t)) : std::nullopt;
}

Error no_such_message(const std::string& id) {
  return Error(Errc::not_found, "message " + escape_at_most(id, 40) + ": not in the queue", Stage::queue);
}

Result<std::int64_t> sequence_of(const std::string& id) {
  const auto sequence = mail::parse_id(id);
  if (!sequence) return no_such_message(id);
  return *sequence;
}

// Restores the order (messages by age, recipients as given) from the joined rows.
struct Reader {
  const std::function<bool(QueuedMessage&&)>& visitor;
  std::map<std::int64_t, std::int64_t> bytes_done{};
  std::optional<QueuedMessage> message{};
  std::int64_t sequence = -1;
  bool held = false;
  bool leased = false;

  bool hand_over() {
    if (!message) return true;
    message->state = mail::message_state(held, leased, message->recipients);
    const bool go_on = visitor(std::move(*message));
    message.reset();
    return go_on;
  }

  bool take(const SqliteStatement& row) {
    if (row.integer(0) != sequence) {
      if (!hand_over()) return false;
      sequence = row.integer(0);
      message.emplace();
      message->id = mail::format_id(sequence);
      message->arrived = wall_time(row.integer(1));
      message->size = row.integer(2);
      message->sender = row.text(3);
      message->message_id = row.text(4);
      message->subject = row.text(5);
      message->priority = static_cast<int>(row.integer(6));
      message->eight_bit = row.integer(7) != 0;
      held = row.integer(8) != 0;
      leased = row.integer(9) != 0;
      message->attempts = static_cast<int>(row.integer(10));
      message->inbox = row.integer(15) != 0;
      if (const auto done = bytes_done.find(sequence); done != bytes_done.end()) message->bytes_done = done->second;
    }
    mail::Recipient recipient;
    recipient.address = row.text(11);
    recipient.state = static_cast<RecipientState>(std::min<std::int64_t>(row.integer(12), 4));
    recipient.reason = row.text(13);
    recipient.reason_class = mail::classify_reason(recipient.reason);
    if (const auto next = row.optional_integer(14)) recipient.next_attempt = wall_time(*next);
    message->recipients.push_back(std::move(recipient));
    return true;
  }
};

}  // namespace

Result<std::string> Spool::insert(const mail::Submission& submission, WallTime now) {
  std::string id;
  if (!submission.recipients.empty()) {
    LONGLINE_TRY(id, insert_copy(submission, Box::queue, now));
  }
  if (submission.local_recipients.empty()) return id;
  LONGLINE_TRY(std::string inbox_id, insert_copy(submission, Box::inbox, now));
  return id.empty() ? inbox_id : id;
}

Result<std::string> Spool::insert_copy(const mail::Submission& submission, Box box, WallTime now) {
  LONGLINE_TRY(SqliteStatement* message,
               statement("INSERT INTO messages(box, arrived, size, sender, message_id, subject, priority, eight_bit) "
                         "VALUES(?,?,?,?,?,?,?,?)"));
  message->bind(1, static_cast<std::int64_t>(box)).bind(2, milliseconds(now));
  message->bind(3, static_cast<std::int64_t>(submission.content.size())).bind(4, submission.sender);
  message->bind(5, submission.message_id).bind(6, submission.subject);
  message->bind(7, std::int64_t{submission.priority}).bind(8, std::int64_t{submission.eight_bit});
  LONGLINE_CHECK(message->run());
  const std::int64_t sequence = db_->last_insert_id();
  LONGLINE_TRY(SqliteStatement* recipient, statement("INSERT INTO recipients(seq, n, address) VALUES(?,?,?)"));
  std::int64_t n = 0;
  const std::vector<std::string>& recipients = box == Box::queue ? submission.recipients : submission.local_recipients;
  for (const std::string& address : recipients) LONGLINE_CHECK(recipient->bind(1, sequence).bind(2, n++).bind(3, address).run());
  LONGLINE_CHECK(insert_wishes(sequence, submission, recipients));
  LONGLINE_TRY(SqliteStatement* body, statement("INSERT INTO bodies VALUES(?,?)"));
  LONGLINE_CHECK(body->bind(1, sequence).bind_blob(2, submission.content).run());
  return mail::format_id(sequence);
}

Result<std::string> Spool::add(const mail::Submission& submission, WallTime now) {
  std::string id;
  LONGLINE_CHECK(add_only([&]() -> Result<void> {
    LONGLINE_TRY(id, insert(submission, now));
    return {};
  }));
  return id;
}

Result<void> Spool::visit_rows(const char* sql, std::int64_t parameter,
                               const std::function<bool(QueuedMessage&&)>& visitor) {
  LONGLINE_TRY(const std::vector<std::int64_t> running, running_leases());
  std::string leases = "[";
  for (const std::int64_t id : running) leases += (leases.size() > 1 ? "," : "") + std::to_string(id);
  LONGLINE_TRY(SqliteStatement rows, db_->prepare(sql));
  rows.bind(1, parameter).bind(2, leases + "]");
  LONGLINE_TRY(auto done, bytes_done());
  Reader reader{visitor, std::move(done)};
  while (true) {
    LONGLINE_TRY(const bool row, rows.step());
    if (!row) break;
    if (!reader.take(rows)) return {};
  }
  reader.hand_over();
  return {};
}

Result<QueuedMessage> Spool::find(const std::string& id) {
  LONGLINE_TRY(const std::int64_t sequence, sequence_of(id));
  std::optional<QueuedMessage> found;
  static const std::string kSql = std::string(kSelect) + "WHERE m.seq=?1 ORDER BY r.n";
  const auto keep = [&](QueuedMessage&& message) { found = std::move(message); return true; };
  if (db_) LONGLINE_CHECK(visit_rows(kSql.c_str(), sequence, keep));
  if (!found) return no_such_message(id);
  return std::move(*found);
}

Result<SpoolBody> Spool::open_body(const std::string& id) {
  LONGLINE_TRY(const std::int64_t sequence, sequence_of(id));
  if (!db_) return no_such_message(id);
  sqlite3_blob* blob = nullptr;
  const int rc = sqlite3_blob_open(db_->handle(), "main", "bodies", "content", sequence, 0, &blob);
  if (rc == SQLITE_ERROR) {
    LONGLINE_TRY(SqliteStatement parts, db_->prepare("SELECT EXISTS(SELECT 1 FROM messages WHERE seq=?1), EXISTS(SELECT 1 FROM bodies WHERE seq=?1)"));
    LONGLINE_CHECK(parts.bind(1, sequence).step());
    if (parts.integer(0) == 0) return no_such_message(id);
    if (parts.integer(1) == 0) {
      return Error(Errc::not_found, "message " + id + ": its body is not in the spool", Stage::queue).with_hint("'mtaq check' finds what is damaged");
    }
  }
  if (rc != SQLITE_OK) return db_->error(rc);
  return SpoolBody(*db_, blob, sqlite3_blob_bytes(blob));
}

Result<void> Spool::check_free(std::int64_t sequence, const std::string& id) {
  LONGLINE_TRY(SqliteStatement find, db_->prepare("SELECT lease FROM messages WHERE seq=?"));
  LONGLINE_TRY(const bool row, find.bind(1, sequence).step());
  if (!row) return no_such_message(id);
  const auto lease = find.optional_integer(0);
  if (!lease) return {};
  LONGLINE_TRY(const std::vector<std::int64_t> running, running_leases());
  for (const std::int64_t other : running) {
    if (other == *lease) return Error(Errc::busy, "message " + id + ": is being sent", Stage::queue);
  }
  return {};
}

Result<void> Spool::set_held(const std::string& id, bool held) {
  LONGLINE_TRY(const std::int64_t sequence, sequence_of(id));
  return change([&]() -> Result<void> {
    LONGLINE_CHECK(check_free(sequence, id));
    LONGLINE_TRY(SqliteStatement update, db_->prepare("UPDATE messages SET held=? WHERE seq=?"));
    return update.bind(1, std::int64_t{held}).bind(2, sequence).run();
  });
}

Result<void> Spool::requeue(const std::string& id) {
  LONGLINE_TRY(const std::int64_t sequence, sequence_of(id));
  return change([&]() -> Result<void> {
    LONGLINE_CHECK(check_free(sequence, id));
    LONGLINE_TRY(SqliteStatement update,
                 db_->prepare("UPDATE recipients SET state=0, reason='', next_attempt=NULL WHERE seq=? AND state IN (1,2)"));
    LONGLINE_CHECK(update.bind(1, sequence).run());
    return erase_outgoing(sequence, "");
  });
}

Result<void> Spool::erase(std::int64_t sequence) {
  for (const char* sql : {"DELETE FROM bodies WHERE seq=?", "DELETE FROM recipients WHERE seq=?",
                          "DELETE FROM messages WHERE seq=?"}) {
    LONGLINE_TRY(SqliteStatement* remove, statement(sql));
    LONGLINE_CHECK(remove->bind(1, sequence).run());
  }
  LONGLINE_CHECK(erase_outgoing(sequence, ""));
  return erase_wishes(sequence);
}

Result<void> Spool::remove(const std::string& id) {
  LONGLINE_TRY(const std::int64_t sequence, sequence_of(id));
  return change([&]() -> Result<void> {
    LONGLINE_CHECK(check_free(sequence, id));
    return erase(sequence);
  });
}

Result<bool> Spool::has_waiting(std::int64_t sequence) {
  LONGLINE_TRY(SqliteStatement* left, statement("SELECT count(*) FROM recipients WHERE seq=? AND state<3"));
  LONGLINE_TRY(const bool row, left->bind(1, sequence).step());
  const bool waiting = row && left->integer(0) > 0;
  left->reset();
  return waiting;
}

// ---- with the lease

Result<std::vector<std::string>> Spool::claim(const std::vector<std::string>& ids) {
  std::vector<std::string> claimed;
  LONGLINE_CHECK(change([&]() -> Result<void> {
    claimed.clear();
    LONGLINE_TRY(SqliteStatement* update,
                 statement("UPDATE messages SET lease=?1 WHERE seq=?2 AND held=0 AND "
                           "(lease IS NULL OR lease=?1 OR lease NOT IN (SELECT id FROM leases))"));
    for (const std::string& id : ids) {
      const auto sequence = mail::parse_id(id);
      if (!sequence) continue;
      LONGLINE_CHECK(update->bind(1, lease_).bind(2, *sequence).run());
      if (db_->changes() == 1) claimed.push_back(id);
    }
    return {};
  }));
  return claimed;
}

Result<void> Spool::mark_in_doubt(const std::vector<mail::InFlight>& messages) {
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement* update,
                 statement("UPDATE recipients SET state=2, next_attempt=NULL, "
                           "reason='sent over the line to its last byte, and no reply was read' "
                           "WHERE seq=? AND address=? AND state<3"));
    for (const mail::InFlight& message : messages) {
      LONGLINE_TRY(const std::int64_t sequence, sequence_of(message.id));
      for (const std::string& address : message.recipients) {
        LONGLINE_CHECK(update->bind(1, sequence).bind(2, address).run());
      }
    }
    return {};
  });
}

Result<void> Spool::apply(const MessageUpdate& update, WallTime now, std::vector<std::string>& notifications) {
  LONGLINE_TRY(const std::int64_t sequence, sequence_of(update.id));
  LONGLINE_TRY(SqliteStatement* recipient,
               statement("UPDATE recipients SET state=?, reason=?, next_attempt=? WHERE seq=? AND address=?"));
  for (const RecipientUpdate& r : update.recipients) {
    recipient->bind(1, static_cast<std::int64_t>(r.state)).bind(2, r.reason);
    recipient->bind(3, optional_milliseconds(r.next_attempt)).bind(4, sequence).bind(5, r.address);
    LONGLINE_CHECK(recipient->run());
  }
  LONGLINE_TRY(SqliteStatement* message,
               statement("UPDATE messages SET attempts=attempts+?1, lease=CASE WHEN ?2 THEN NULL ELSE lease END WHERE seq=?3"));
  LONGLINE_CHECK(message->bind(1, std::int64_t{update.counts}).bind(2, std::int64_t{update.ends}).bind(3, sequence).run());
  if (!update.receipt.empty()) {
    LONGLINE_TRY(SqliteStatement* receipt, statement("INSERT INTO receipts(seq, at, json) VALUES(?,?,?)"));
    LONGLINE_CHECK(receipt->bind(1, sequence).bind(2, milliseconds(now)).bind(3, update.receipt).run());
    LONGLINE_TRY(SqliteStatement* bound, statement("DELETE FROM receipts WHERE n<=?"));
    LONGLINE_CHECK(bound->bind(1, db_->last_insert_id() - kReceiptsKept).run());
  }
  if (update.traffic) LONGLINE_CHECK(add_traffic(*update.traffic, now));
  if (!update.ends_transfer.empty()) LONGLINE_CHECK(erase_outgoing(sequence, update.ends_transfer));
  LONGLINE_TRY(const bool waiting, has_waiting(sequence));
  if (!waiting) LONGLINE_CHECK(erase(sequence));
  // Behind it, so that on a full disk they take the room that it leaves.
  if (update.notification) {
    LONGLINE_TRY(std::string id, insert(*update.notification, now));
    notifications.push_back(std::move(id));
    if (update.warns) {
      LONGLINE_TRY(SqliteStatement* warned, statement("INSERT OR IGNORE INTO warned(seq) VALUES(?)"));
      LONGLINE_CHECK(warned->bind(1, sequence).run());
    }
  }
  if (update.success_notice) {
    LONGLINE_TRY(std::string id, insert(*update.success_notice, now));
    notifications.push_back(std::move(id));
  }
  return {};
}

Result<std::vector<std::string>> Spool::record_all(std::span<const MessageUpdate> updates, WallTime now) {
  std::vector<std::string> notifications;
  Result<void> done = change([&]() -> Result<void> {
    notifications.clear();
    for (const MessageUpdate& update : updates) LONGLINE_CHECK(apply(update, now, notifications));
    return {};
  });
  if (done) return notifications;
  if (done.error().code != Errc::disk_full || updates.size() < 2) return std::move(done).error();
  // The reserve is for so much at once.
  LONGLINE_TRY(notifications, record_all(updates.first(updates.size() / 2), now));
  LONGLINE_TRY(const std::vector<std::string> others, record_all(updates.subspan(updates.size() / 2), now));
  notifications.insert(notifications.end(), others.begin(), others.end());
  return notifications;
}

}  // namespace longline::sys
