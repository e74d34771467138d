// SPDX-License-Identifier: MIT
// Transfers that go on where the line was cut: what has come of the peers' messages, and how far ours are.
#include "sys/spool/spool_transfers.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "sys/spool/spool.hpp"
#include "sys/spool/stored_time.hpp"

namespace longline::sys {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : "\n") + word;
  return out;
}

std::vector<std::string> parted(const std::string& text) {
  std::vector<std::string> out;
  for (const std::string_view word : split(text, '\n')) out.emplace_back(word);
  return out;
}

Result<void> collect(SqliteStatement& rows, std::vector<std::int64_t>& numbers) {
  while (true) {
    auto row = rows.step();
    if (!row || !*row) {
      rows.reset();
      return row ? Result<void>() : Result<void>(std::move(row).error());
    }
    numbers.push_back(rows.integer(0));
  }
}

constexpr const char* kOutgoing =
    "SELECT seq, connector, recipients, prefix, with_body, size, session, activity, latest, mta, checkpoint_size, window, serial, bytes, changed "
    "FROM transfers_out ";

OutgoingTransfer outgoing_in(const SqliteStatement& row) {
  OutgoingTransfer out;
  out.id = mail::format_id(row.integer(0));
  out.latest.peer = row.text(1);
  out.recipients = parted(row.text(2));
  out.prefix = row.text(3);
  out.with_body = row.integer(4) != 0;
  out.size = row.integer(5);
  out.name = {row.text(6), row.text(7)};
  out.latest.session = row.text(8);
  out.latest.mta = row.text(9);
  out.latest.checkpoint_size = row.integer(10);
  out.latest.window = row.integer(11);
  out.serial = row.integer(12);
  out.bytes = row.integer(13);
  out.changed = WallTime(Duration(row.integer(14)));
  return out;
}

}  // namespace

// ---- incoming

Result<std::int64_t> Spool::incoming_number(const std::string& peer, const TransferName& name) {
  LONGLINE_TRY(SqliteStatement* find, statement("SELECT transfer FROM transfer_names WHERE peer=? AND session=? AND activity=?"));
  LONGLINE_TRY(const bool row, find->bind(1, peer).bind_blob(2, name.session).bind_blob(3, name.activity).step());
  const std::int64_t n = row ? find->integer(0) : 0;
  find->reset();
  return n;
}

Result<std::optional<IncomingTransfer>> Spool::incoming_transfer(const std::string& peer, const TransferName& name) {
  LONGLINE_TRY(const std::int64_t n, incoming_number(peer, name));
  LONGLINE_TRY(SqliteStatement find, db_->prepare("SELECT serial, bytes, completed FROM transfers_in WHERE n=?"));
  LONGLINE_TRY(const bool row, find.bind(1, n).step());
  if (!row) return std::optional<IncomingTransfer>();
  return std::optional<IncomingTransfer>({find.integer(0), find.integer(1), find.integer(2) != 0});
}

/// Whose transfer goes on under a name that two unfinished ones have had, nobody can say: it is neither's, and both senders begin anew.
Result<void> Spool::name_incoming(std::int64_t n, const std::string& peer, const TransferName& name) {
  LONGLINE_TRY(const std::int64_t before, incoming_number(peer, name));
  if (before == n) return {};
  LONGLINE_TRY(SqliteStatement* remove, statement("DELETE FROM transfer_names WHERE peer=? AND session=? AND activity=? AND transfer IN "
                                                  "(SELECT n FROM transfers_in WHERE completed=0)"));
  LONGLINE_CHECK(remove->bind(1, peer).bind_blob(2, name.session).bind_blob(3, name.activity).run());
  if (db_->changes() != 0) return {};
  LONGLINE_TRY(SqliteStatement* add, statement("INSERT OR REPLACE INTO transfer_names(peer, session, activity, transfer) VALUES(?,?,?,?)"));
  return add->bind(1, peer).bind_blob(2, name.session).bind_blob(3, name.activity).bind(4, n).run();
}

Result<std::int64_t> Spool::begin_incoming(const TransferName& name, const AgreedSession& session, WallTime now, const TransferBounds& bounds) {
  LONGLINE_TRY(SqliteStatement* begin,
               statement("INSERT INTO transfers_in(peer, latest, mta, checkpoint_size, window, began, changed) VALUES(?,?,?,?,?,?6,?6)"));
  begin->bind(1, session.peer).bind_blob(2, session.session).bind(3, session.mta).bind(4, session.checkpoint_size).bind(5, session.window);
  LONGLINE_CHECK(begin->bind(6, milliseconds(now)).run());
  const std::int64_t n = db_->last_insert_id();
  LONGLINE_CHECK(name_incoming(n, session.peer, name));
  LONGLINE_CHECK(bound_transfers(n, session.peer, now, bounds));
  return n;
}

Result<std::int64_t> Spool::store_segment(const IncomingSegment& segment, const AgreedSession& session, WallTime now, const TransferBounds& bounds) {
  std::int64_t n = segment.transfer;
  LONGLINE_CHECK(add_only([&]() -> Result<void> {
    if (segment.first) {
      LONGLINE_TRY(n, begin_incoming(segment.name, session, now, bounds));
    }
    LONGLINE_TRY(SqliteStatement* count,
                 statement("UPDATE transfers_in SET serial=?2, bytes=bytes+?3, changed=?4 WHERE n=?1 AND serial=?2-1 AND completed=0 AND latest=?5"));
    count->bind(1, n).bind(2, segment.serial).bind(3, static_cast<std::int64_t>(segment.bytes.size())).bind(4, milliseconds(now));
    LONGLINE_CHECK(count->bind_blob(5, session.session).run());
    if (db_->changes() == 0) {
      return Error(Errc::protocol, fmt::format("checkpoint {} of a transfer of which the one before is not here", segment.serial), Stage::transfer);
    }
    LONGLINE_TRY(SqliteStatement* add, statement("INSERT INTO transfer_segments(transfer, serial, content) VALUES(?,?,?)"));
    return add->bind(1, n).bind(2, segment.serial).bind_blob(3, segment.bytes).run();
  }));
  return n;
}

Result<std::int64_t> Spool::resume_incoming(const TransferName& name, const TransferName& also, std::int64_t serial, const AgreedSession& session) {
  std::int64_t n = 0;
  LONGLINE_CHECK(change([&]() -> Result<void> {
    LONGLINE_TRY(n, incoming_number(session.peer, name));
    if (n == 0) return Error(Errc::protocol, "a transfer goes on that is not here", Stage::transfer);
    LONGLINE_CHECK(name_incoming(n, session.peer, also));
    LONGLINE_TRY(SqliteStatement* cut, statement("DELETE FROM transfer_segments WHERE transfer=? AND serial>?"));
    LONGLINE_CHECK(cut->bind(1, n).bind(2, serial).run());
    LONGLINE_TRY(SqliteStatement* count, statement("UPDATE transfers_in SET serial=min(serial,?2), latest=?3, mta=?4, checkpoint_size=?5, window=?6, "
                                                   "bytes=(SELECT ifnull(sum(length(content)),0) FROM transfer_segments WHERE transfer=?1) WHERE n=?1"));
    count->bind(1, n).bind(2, serial).bind_blob(3, session.session).bind(4, session.mta).bind(5, session.checkpoint_size);
    return count->bind(6, session.window).run();
  }));
  return n;
}

/// Whenever a transfer begins; the one that does, `n`, stays.
Result<void> Spool::bound_transfers(std::int64_t n, const std::string& peer, WallTime now, const TransferBounds& bounds) {
  std::vector<std::int64_t> gone;
  LONGLINE_TRY(SqliteStatement* old, statement("SELECT n FROM transfers_in WHERE n<>?1 AND changed<CASE completed WHEN 0 THEN ?2 ELSE ?3 END"));
  old->bind(1, n).bind(2, milliseconds(now - bounds.partial_for)).bind(3, milliseconds(now - bounds.completed_for));
  LONGLINE_CHECK(collect(*old, gone));
  LONGLINE_TRY(SqliteStatement* many, statement("SELECT n FROM transfers_in WHERE completed=1 ORDER BY n DESC LIMIT -1 OFFSET ?"));
  LONGLINE_CHECK(collect(many->bind(1, bounds.completed), gone));
  LONGLINE_TRY(SqliteStatement* large, statement("SELECT n FROM (SELECT n, sum(bytes) OVER (ORDER BY changed DESC, n DESC) AS total FROM transfers_in "
                                                 "WHERE peer=?1 AND completed=0) WHERE total>?2 AND n<>?3"));
  LONGLINE_CHECK(collect(large->bind(1, peer).bind(2, bounds.bytes).bind(3, n), gone));
  for (const std::int64_t one : gone) LONGLINE_CHECK(erase_incoming(one));
  return {};
}

Result<void> Spool::erase_incoming(std::int64_t n) {
  for (const char* sql : {"DELETE FROM transfer_segments WHERE transfer=?", "DELETE FROM transfer_names WHERE transfer=?",
                          "DELETE FROM transfers_in WHERE n=?"}) {
    LONGLINE_TRY(SqliteStatement* remove, statement(sql));
    LONGLINE_CHECK(remove->bind(1, n).run());
  }
  return {};
}

Result<std::string> Spool::incoming_content(std::int64_t transfer, const std::string& session, std::int64_t serial) {
  const Error gone(Errc::protocol, "what the spool has of the transfer is not what this association has stored", Stage::transfer);
  LONGLINE_TRY(SqliteStatement find, db_->prepare("SELECT bytes FROM transfers_in WHERE n=? AND completed=0 AND latest=? AND serial=?"));
  LONGLINE_TRY(const bool there, find.bind(1, transfer).bind_blob(2, session).bind(3, serial).step());
  if (!there) return gone;
  const auto size = static_cast<std::size_t>(find.integer(0));
  std::string out;
  out.reserve(size);
  LONGLINE_TRY(SqliteStatement rows, db_->prepare("SELECT content FROM transfer_segments WHERE transfer=? ORDER BY serial"));
  rows.bind(1, transfer);
  while (true) {
    LONGLINE_TRY(const bool row, rows.step());
    if (!row) break;
    out += rows.text(0);
  }
  if (out.size() != size) return gone;
  return out;
}

Result<void> Spool::complete_incoming(std::int64_t transfer, WallTime now) {
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement* drop, statement("DELETE FROM transfer_segments WHERE transfer=?"));
    LONGLINE_CHECK(drop->bind(1, transfer).run());
    LONGLINE_TRY(SqliteStatement* note, statement("UPDATE transfers_in SET completed=1, changed=?2 WHERE n=?1"));
    return note->bind(1, transfer).bind(2, milliseconds(now)).run();
  });
}

Result<void> Spool::note_completed(const TransferName& name, const AgreedSession& session, WallTime now, const TransferBounds& bounds) {
  return change([&]() -> Result<void> {
    LONGLINE_TRY(const std::int64_t n, begin_incoming(name, session, now, bounds));
    LONGLINE_TRY(SqliteStatement* note, statement("UPDATE transfers_in SET completed=1 WHERE n=?"));
    return note->bind(1, n).run();
  });
}

Result<void> Spool::drop_incoming(std::int64_t transfer) {
  return change([&] { return erase_incoming(transfer); });
}

// ---- outgoing

Result<void> Spool::put_outgoing(const OutgoingTransfer& transfer) {
  const auto sequence = mail::parse_id(transfer.id);
  if (!sequence) return Error(Errc::not_found, "message " + transfer.id + ": not in the queue", Stage::queue);
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement* add,
                 statement("INSERT OR REPLACE INTO transfers_out(seq, connector, recipients, prefix, with_body, size, session, activity, latest, mta, "
                           "checkpoint_size, window, serial, bytes, changed) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    add->bind(1, *sequence).bind(2, transfer.latest.peer).bind(3, joined(transfer.recipients)).bind_blob(4, transfer.prefix);
    add->bind(5, std::int64_t{transfer.with_body}).bind(6, transfer.size).bind_blob(7, transfer.name.session).bind_blob(8, transfer.name.activity);
    add->bind_blob(9, transfer.latest.session).bind(10, transfer.latest.mta).bind(11, transfer.latest.checkpoint_size).bind(12, transfer.latest.window);
    return add->bind(13, transfer.serial).bind(14, transfer.bytes).bind(15, milliseconds(transfer.changed)).run();
  });
}

Result<void> Spool::confirm_outgoing(const std::string& id, const std::string& connector, std::int64_t serial, std::int64_t bytes, WallTime now) {
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement* note, statement("UPDATE transfers_out SET serial=?, bytes=?, changed=? WHERE seq=? AND connector=?"));
    note->bind(1, serial).bind(2, bytes).bind(3, milliseconds(now));
    return note->bind(4, mail::parse_id(id).value_or(0)).bind(5, connector).run();
  });
}

Result<std::optional<OutgoingTransfer>> Spool::outgoing_transfer(const std::string& id, const std::string& connector) {
  LONGLINE_TRY(SqliteStatement rows, db_->prepare(std::string(kOutgoing) + "WHERE seq=? AND connector=?"));
  LONGLINE_TRY(const bool row, rows.bind(1, mail::parse_id(id).value_or(0)).bind(2, connector).step());
  if (!row) return std::optional<OutgoingTransfer>();
  return std::optional<OutgoingTransfer>(outgoing_in(rows));
}

Result<void> Spool::drop_outgoing(const std::string& id, const std::string& connector) {
  return change([&] { return erase_outgoing(mail::parse_id(id).value_or(0), connector); });
}

/// A transfer is of all its recipients.
Result<void> Spool::erase_outgoing_to(std::int64_t sequence, const std::string& recipient) {
  const Result<SqliteStatement*> drop =
      statement("DELETE FROM transfers_out WHERE seq=? AND instr(char(10)||recipients||char(10), char(10)||?||char(10))>0");
  if (!drop) return {};
  return (*drop)->bind(1, sequence).bind(2, recipient).run();
}

Result<void> Spool::erase_outgoing(std::int64_t sequence, const std::string& connector) {
  // As with wishes: a disk that was full may have kept the table from being made.
  const Result<SqliteStatement*> drop = statement("DELETE FROM transfers_out WHERE seq=?1 AND (?2='' OR connector=?2)");
  if (!drop) return {};
  return (*drop)->bind(1, sequence).bind(2, connector).run();
}

Result<std::map<std::int64_t, std::int64_t>> Spool::bytes_done() {
  std::map<std::int64_t, std::int64_t> out;
  LONGLINE_TRY(const bool known, has_table("transfers_out"));
  if (!known) return out;
  LONGLINE_TRY(SqliteStatement rows, db_->prepare("SELECT seq, max(bytes) FROM transfers_out WHERE session<>x'' GROUP BY seq"));
  while (true) {
    LONGLINE_TRY(const bool row, rows.step());
    if (!row) return out;
    out.emplace(rows.integer(0), rows.integer(1));
  }
}

// ---- both

Result<std::optional<AgreedSession>> Spool::find_session(const std::string& session, const std::string& peer) {
  constexpr const char* kFind =
      "SELECT latest, peer, mta, checkpoint_size, window, outgoing, changed, "
      "EXISTS (SELECT 1 FROM peers WHERE name='forgets '||peer AND learned>changed-7*86400000) FROM "
      "(SELECT latest, connector AS peer, mta, checkpoint_size, window, 1 AS outgoing, changed FROM transfers_out WHERE session<>x'' "
      "UNION ALL SELECT latest, peer, mta, checkpoint_size, window, 0, changed FROM transfers_in WHERE completed=0 OR ?1<>x'') "
      "WHERE (?1=x'' OR latest=?1) AND (?2='' OR peer=?2) ORDER BY changed DESC LIMIT 1";
  LONGLINE_TRY(SqliteStatement find, db_->prepare(kFind));
  LONGLINE_TRY(const bool row, find.bind_blob(1, session).bind(2, peer).step());
  if (!row) return std::optional<AgreedSession>();
  return std::optional<AgreedSession>({find.text(0), find.text(1), find.text(2), find.integer(3), find.integer(4), find.integer(5) != 0,
                                       WallTime(Duration(find.integer(6))), find.integer(7) != 0});
}

Result<void> Spool::forget_session(const AgreedSession& session, WallTime now) {
  return change([&]() -> Result<void> {
    // Of what it never acknowledged a peer has nothing to remember.
    LONGLINE_TRY(SqliteStatement* note, statement("INSERT OR REPLACE INTO peers(name, window, bytes, learned) SELECT 'forgets '||?1,1,0,?2 WHERE "
                                                  "EXISTS (SELECT 1 FROM transfers_out WHERE connector=?1 AND latest=?3 AND serial>0) OR "
                                                  "EXISTS (SELECT 1 FROM transfers_in WHERE peer=?1 AND latest=?3 AND serial>0)"));
    LONGLINE_CHECK(note->bind(1, session.peer).bind(2, milliseconds(now)).bind_blob(3, session.session).run());
    LONGLINE_TRY(SqliteStatement* out,
                 statement("UPDATE transfers_out SET session=x'', activity=x'', latest=x'', serial=0, bytes=0 WHERE connector=? AND latest=?"));
    LONGLINE_CHECK(out->bind(1, session.peer).bind_blob(2, session.session).run());
    LONGLINE_TRY(SqliteStatement* in, statement("SELECT n FROM transfers_in WHERE peer=? AND latest=? AND completed=0"));
    std::vector<std::int64_t> gone;
    LONGLINE_CHECK(collect(in->bind(1, session.peer).bind_blob(2, session.session), gone));
    for (const std::int64_t n : gone) LONGLINE_CHECK(erase_incoming(n));
    return {};
  });
}

}  // namespace longline::sys
