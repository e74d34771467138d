// SPDX-License-Identifier: MIT
// What senders want to be told of their messages (RFC 3461), beside the messages.
#include "sys/spool/spool.hpp"

namespace longline::sys {

Result<void> Spool::insert_wishes(std::int64_t sequence, const mail::Submission& submission, const std::vector<std::string>& recipients) {
  const mail::DsnWishes& dsn = submission.dsn;
  if (dsn.empty()) return {};
  LONGLINE_TRY(SqliteStatement* message, statement("INSERT INTO dsn_messages VALUES(?,?,?)"));
  LONGLINE_CHECK(message->bind(1, sequence).bind(2, dsn.ret).bind(3, dsn.envelope_id).run());
  LONGLINE_TRY(SqliteStatement* recipient, statement("INSERT OR REPLACE INTO dsn_recipients VALUES(?,?,?,?)"));
  for (const std::string& address : recipients) {
    const mail::DsnWish wish = dsn.of(address);
    if (wish.empty()) continue;
    LONGLINE_CHECK(recipient->bind(1, sequence).bind(2, address).bind(3, wish.notify).bind(4, wish.original).run());
  }
  return {};
}

Result<void> Spool::erase_wishes(std::int64_t sequence) {
  // A disk that was full when the spool was opened has kept the table from being made: what makes room works all the same.
  const Result<SqliteStatement*> message = statement("DELETE FROM dsn_messages WHERE seq=?");
  if (!message) return {};
  LONGLINE_CHECK((*message)->bind(1, sequence).run());
  if (db_->changes() == 0) return {};
  LONGLINE_TRY(SqliteStatement* recipients, statement("DELETE FROM dsn_recipients WHERE seq=?"));
  return recipients->bind(1, sequence).run();
}

Result<mail::DsnWishes> Spool::wishes(const std::string& id) {
  mail::DsnWishes out;
  const auto sequence = mail::parse_id(id);
  if (!db_ || !sequence) return out;
  LONGLINE_TRY(const std::int64_t known, db_->integer("SELECT count(*) FROM sqlite_schema WHERE name='dsn_messages'"));
  if (known == 0) return out;
  LONGLINE_TRY(SqliteStatement message, db_->prepare("SELECT ret, envid FROM dsn_messages WHERE seq=?"));
  LONGLINE_TRY(const bool found, message.bind(1, *sequence).step());
  if (!found) return out;
  out.ret = message.text(0);
  out.envelope_id = message.text(1);
  LONGLINE_TRY(SqliteStatement recipients, db_->prepare("SELECT address, notify, orcpt FROM dsn_recipients WHERE seq=?"));
  recipients.bind(1, *sequence);
  while (true) {
    LONGLINE_TRY(const bool row, recipients.step());
    if (!row) return out;
    out.recipients[recipients.text(0)] = {recipients.text(1), recipients.text(2)};
  }
}

}  // namespace longline::sys
