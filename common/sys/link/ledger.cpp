// SPDX-License-Identifier: MIT
#include "sys/link/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sys/link/ledger_file.hpp"
#include "sys/process_identity.hpp"

namespace longline::sys {
namespace {

constexpr Duration kLedgerDay{86'400'000};
constexpr std::int64_t kOrdinary = 20'000;
constexpr std::int64_t kMostRows = 100'000;

std::int64_t ms(WallTime t) { return t.time_since_epoch().count(); }
/// What is read may have been written by anybody: times before 10000, so that sums of them stay numbers.
WallTime bounded_time(std::int64_t milliseconds) { return WallTime(Duration(std::clamp<std::int64_t>(milliseconds, 0, 253'402'300'799'999))); }
Duration duration(std::int64_t milliseconds) { return bounded_time(milliseconds).time_since_epoch(); }
std::optional<std::int64_t> ms(const std::optional<WallTime>& t) { return t ? std::optional(ms(*t)) : std::nullopt; }

/// What comes from outside is bounded before it is kept.
std::string_view at_most(std::string_view text, std::size_t most) { return text.substr(0, most); }
constexpr std::size_t kLongestText = 500;

/// Everything here is about whether to call.
template <class T>
Result<T> in_policy(Result<T> result) {
  if (result) return result;
  Error error = std::move(result).error();
  error.stage = Stage::policy;
  return error;
}

void bind_figures(SqliteStatement& row, const CallFigures& f) {
  row.bind(2, ms(f.connected)).bind(3, ms(f.seen)).bind(4, std::max<std::int64_t>(f.duration.count(), 0));
  row.bind(5, at_most(f.number, 128)).bind(6, std::int64_t{f.attempts}).bind(7, f.bytes_in).bind(8, f.bytes_out).bind(9, f.cost);
  row.bind(10, f.signal).bind(11, f.due).bind(12, f.moved);
}

}  // namespace

Result<Ledger> Ledger::open(const std::string& path, Duration patience) {
  LONGLINE_TRY(Sqlite db, open_ledger_for_writing(path, patience));
  return Ledger(std::move(db));
}

Result<Ledger> Ledger::open_read_only(const std::string& path) {
  LONGLINE_TRY(Sqlite db, open_ledger_for_reading(path));
  return Ledger(std::move(db));
}

void Ledger::be_patient(Duration patience) {
  static_cast<void>(db_.run(fmt::format("PRAGMA busy_timeout={}", patience.count()).c_str()).has_value());
}

Result<void> Ledger::close_abandoned() {
  LONGLINE_TRY(SqliteStatement open, db_.prepare("SELECT id, pid, start, boot FROM calls WHERE ended IS NULL"));
  std::vector<std::int64_t> abandoned;
  while (true) {
    LONGLINE_TRY(const bool row, open.step());
    if (!row) break;
    if (!is_running({open.integer(1), open.integer(2), open.text(3)})) abandoned.push_back(open.integer(0));
  }
  open.reset();
  LONGLINE_TRY(SqliteStatement close, db_.prepare("UPDATE calls SET ended = seen, code = ?2, stage = ?3, cause = ?4 WHERE id = ?1"));
  for (const std::int64_t id : abandoned) {
    close.bind(1, id).bind(2, to_string(Errc::interrupted)).bind(3, to_string(Stage::policy));
    close.bind(4, std::string_view("the supervisor ended without a word; as last written down"));
    LONGLINE_CHECK(close.run());
  }
  return {};
}

Result<std::int64_t> Ledger::begin(const std::string& link, WallTime now) {
  const auto work = [&]() -> Result<std::int64_t> {
    LONGLINE_TRY(SqliteTransaction transaction, SqliteTransaction::begin(db_));
    LONGLINE_CHECK(close_abandoned());
    LONGLINE_TRY(SqliteStatement insert, db_.prepare("INSERT INTO calls(link, pid, start, boot, started, seen) VALUES(?1, ?2, ?3, ?4, ?5, ?5)"));
    const ProcessIdentity us = this_process();
    insert.bind(1, link).bind(2, us.pid).bind(3, us.start).bind(4, us.boot_id).bind(5, ms(now));
    LONGLINE_CHECK(insert.run());
    const std::int64_t id = db_.last_insert_id();
    LONGLINE_CHECK(transaction.commit());
    return id;
  };
  return in_policy(work());
}

Result<void> Ledger::update(std::int64_t id, const CallFigures& figures) {
  const auto work = [&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement row,
                 db_.prepare("UPDATE calls SET connected = ?2, seen = ?3, duration = ?4, number = ?5, attempts = ?6, bytes_in = ?7,"
                             " bytes_out = ?8, cost = ?9, signal = ?10, due = ?11, moved = ?12 WHERE id = ?1"));
    bind_figures(row.bind(1, id), figures);
    return row.run();
  };
  return in_policy(work());
}

Result<void> Ledger::finish(std::int64_t id, const CallFigures& figures, const std::optional<Error>& error) {
  const auto work = [&]() -> Result<void> {
    LONGLINE_TRY(SqliteTransaction transaction, SqliteTransaction::begin(db_));
    LONGLINE_CHECK(update(id, figures));
    LONGLINE_TRY(SqliteStatement row, db_.prepare("UPDATE calls SET ended = ?2, code = ?3, stage = ?4, ras = ?5, cause = ?6 WHERE id = ?1"));
    row.bind(1, id).bind(2, ms(figures.seen));
    row.bind(3, error ? to_string(error->code) : std::string_view()).bind(4, error ? to_string(error->stage) : std::string_view());
    const std::optional<int> ras = error ? ras_code(error->code) : std::nullopt;
    row.bind(5, ras ? std::optional<std::int64_t>(*ras) : std::nullopt);
    const std::string cause = error ? error->message() : "";
    row.bind(6, at_most(cause, kLongestText));
    LONGLINE_CHECK(row.run());
    return transaction.commit();
  };
  return in_policy(work());
}

Result<link::Usage> Ledger::usage(const std::string& link, const Period& day, const Period& month, std::int64_t except) {
  const auto work = [&]() -> Result<link::Usage> {
    LONGLINE_TRY(SqliteStatement row,
                 db_.prepare("SELECT total(seen - duration >= ?2 AND seen - duration < ?3), total(max(0, min(seen, ?3) - max(seen - duration, ?2))),"
                             " total(max(0, min(seen, ?5) - max(seen - duration, ?4))),"
                             " total(CASE WHEN seen - duration >= ?4 AND seen - duration < ?5 THEN cost ELSE 0 END)"
                             " FROM calls WHERE link = ?1 AND seen >= ?4 AND connected IS NOT NULL AND id <> ?6"));
    row.bind(1, link).bind(2, ms(day.begin)).bind(3, ms(day.end)).bind(4, ms(month.begin)).bind(5, ms(month.end)).bind(6, except);
    LONGLINE_TRY(const bool found, row.step());
    if (!found) return link::Usage{};
    return link::Usage{row.integer(0), duration(row.integer(1)), duration(row.integer(2)), row.integer(3)};
  };
  return in_policy(work());
}

Result<std::vector<LedgerCall>> Ledger::calls(const std::string& link, WallTime since, std::int64_t most) {
  const auto work = [&]() -> Result<std::vector<LedgerCall>> {
    LONGLINE_TRY(SqliteStatement row,
                 db_.prepare("SELECT id, link, started, ended, connected, seen, duration, number, attempts, bytes_in, bytes_out, cost, signal,"
                             " due, moved, code, stage, ras, cause FROM calls WHERE (?1 = '' OR link = ?1) AND seen >= ?2 ORDER BY id DESC LIMIT ?3"));
    row.bind(1, link).bind(2, ms(since)).bind(3, most);
    std::vector<LedgerCall> out;
    const auto time = [&](int column) {
      const std::optional<std::int64_t> value = row.optional_integer(column);
      return value ? std::optional(bounded_time(*value)) : std::nullopt;
    };
    while (true) {
      LONGLINE_TRY(const bool found, row.step());
      if (!found) break;
      LedgerCall& call = out.emplace_back();
      call.id = row.integer(0);
      call.link = row.text(1);
      call.started = bounded_time(row.integer(2));
      call.ended = time(3);
      CallFigures& f = call.figures;
      f.connected = time(4);
      f.seen = bounded_time(row.integer(5));
      f.duration = duration(row.integer(6));
      f.number = row.text(7);
      f.attempts = static_cast<int>(row.integer(8));
      f.bytes_in = row.integer(9);
      f.bytes_out = row.integer(10);
      f.cost = row.integer(11);
      f.signal = row.optional_integer(12);
      f.due = row.integer(13);
      f.moved = row.integer(14);
      call.code = row.text(15);
      call.stage = row.text(16);
      call.ras = row.optional_integer(17);
      call.cause = row.text(18);
    }
    std::reverse(out.begin(), out.end());
    return out;
  };
  return in_policy(work());
}

Result<std::optional<link::BackoffState>> Ledger::backoff(const std::string& link) {
  const auto work = [&]() -> Result<std::optional<link::BackoffState>> {
    LONGLINE_TRY(SqliteStatement row, db_.prepare("SELECT failures, since, since_boot, boot, wait, for_good, code, stage, cause FROM backoff"
                                                  " WHERE link = ?1"));
    row.bind(1, link);
    LONGLINE_TRY(const bool found, row.step());
    if (!found) return std::optional<link::BackoffState>();
    link::BackoffState state;
    state.failures = static_cast<int>(std::clamp<std::int64_t>(row.integer(0), 1, 1'000'000));
    state.since = {bounded_time(row.integer(1)), duration(row.integer(2)), row.text(3)};
    state.wait = duration(row.integer(4));
    state.for_good = row.integer(5) != 0;
    state.error = Error(errc_from_name(row.text(6)).value_or(Errc::unreachable), row.text(8), stage_from_name(row.text(7)).value_or(Stage::none));
    return std::optional(std::move(state));
  };
  return in_policy(work());
}

Result<void> Ledger::set_backoff(const std::string& link, const link::BackoffState& state) {
  const auto work = [&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement row, db_.prepare("INSERT OR REPLACE INTO backoff(link, failures, since, since_boot, boot, wait, for_good, code,"
                                                  " stage, cause) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
    const std::string cause = state.error.message();
    row.bind(1, link).bind(2, std::int64_t{state.failures}).bind(3, ms(state.since.wall)).bind(4, state.since.since_boot.count());
    row.bind(5, state.since.boot_id).bind(6, state.wait.count()).bind(7, std::int64_t{state.for_good ? 1 : 0});
    row.bind(8, to_string(state.error.code)).bind(9, to_string(state.error.stage)).bind(10, at_most(cause, kLongestText));
    return row.run();
  };
  return in_policy(work());
}

Result<void> Ledger::clear_backoff(const std::string& link) {
  const auto work = [&]() -> Result<void> {
    // Most calls find nothing to clear, and need not write then.
    LONGLINE_TRY(SqliteStatement there, db_.prepare("SELECT 1 FROM backoff WHERE link = ?1"));
    LONGLINE_TRY(const bool found, there.bind(1, link).step());
    if (!found) return {};
    there.reset();
    LONGLINE_TRY(SqliteStatement row, db_.prepare("DELETE FROM backoff WHERE link = ?1"));
    return row.bind(1, link).run();
  };
  return in_policy(work());
}

Result<void> Ledger::prune(WallTime now) {
  const auto work = [&]() -> Result<void> {
    LONGLINE_TRY(SqliteTransaction transaction, SqliteTransaction::begin(db_));
    LONGLINE_TRY(SqliteStatement old, db_.prepare("DELETE FROM calls WHERE ended IS NOT NULL AND seen < ?1"));
    LONGLINE_CHECK(old.bind(1, ms(now - 400 * kLedgerDay)).run());
    LONGLINE_TRY(SqliteStatement many, db_.prepare("DELETE FROM calls WHERE id IN (SELECT id FROM calls ORDER BY id DESC LIMIT -1 OFFSET ?1)"
                                                   " AND ended IS NOT NULL AND (connected IS NULL OR seen < ?2)"));
    LONGLINE_CHECK(many.bind(1, kOrdinary).bind(2, ms(now - 40 * kLedgerDay)).run());
    LONGLINE_TRY(SqliteStatement most, db_.prepare("DELETE FROM calls WHERE id <= (SELECT max(id) FROM calls) - ?1"));
    LONGLINE_CHECK(most.bind(1, kMostRows).run());
    return transaction.commit();
  };
  return in_policy(work());
}

}  // namespace longline::sys
