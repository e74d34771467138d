// SPDX-License-Identifier: MIT
// What the spool remembers besides messages: how connectors fared, whose sender was told of a delay.
#include "sys/spool/spool.hpp"

#include "sys/spool/stored_time.hpp"

namespace longline::sys {
Result<bool> Spool::has_table(std::string_view name) {
  if (!db_) return false;
  LONGLINE_TRY(SqliteStatement find, db_->prepare("SELECT 1 FROM sqlite_master WHERE type='table' AND name=?"));
  return find.bind(1, name).step();
}

Result<mail::ConnectorStates> Spool::connector_states() {
  mail::ConnectorStates out;
  LONGLINE_TRY(const bool there, has_table("connectors"));
  if (!there) return out;
  LONGLINE_TRY(SqliteStatement all,
               db_->prepare("SELECT name, open_failures, transfer_failures, next_open, reason, retrieved FROM connectors"));
  while (true) {
    LONGLINE_TRY(const bool row, all.step());
    if (!row) return out;
    mail::ConnectorState state;
    state.open_failures = static_cast<int>(all.integer(1));
    state.transfer_failures = static_cast<int>(all.integer(2));
    state.next_open = wall_time(all.optional_integer(3));
    state.reason = all.text(4);
    state.retrieved = wall_time(all.optional_integer(5));
    out.emplace(all.text(0), std::move(state));
  }
}

Result<void> Spool::set_connector_state(const std::string& key, const mail::ConnectorState& state) {
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement set,
                 db_->prepare("INSERT INTO connectors(name, open_failures, transfer_failures, next_open, reason) VALUES(?1,?2,?3,?4,?5) "
                              "ON CONFLICT(name) DO UPDATE SET open_failures=?2, transfer_failures=?3, next_open=?4, reason=?5"));
    set.bind(1, key).bind(2, std::int64_t{state.open_failures}).bind(3, std::int64_t{state.transfer_failures});
    set.bind(4, state.next_open ? std::optional<std::int64_t>(milliseconds(*state.next_open)) : std::nullopt).bind(5, state.reason);
    LONGLINE_CHECK(set.run());
    // A domain that works again leaves nothing behind, and none stays for ever.
    constexpr std::int64_t kOldest = std::int64_t{30} * 86'400'000;
    LONGLINE_TRY(SqliteStatement tidy,
                 db_->prepare("DELETE FROM connectors WHERE instr(name, char(9)) > 0 AND "
                              "((open_failures=0 AND transfer_failures=0) OR next_open < ?)"));
    return tidy.bind(1, (state.next_open ? milliseconds(*state.next_open) : 0) - kOldest).run();
  });
}

Result<void> Spool::set_retrieved(const std::string& connector, WallTime when) {
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement set, db_->prepare("INSERT INTO connectors(name, retrieved) VALUES(?1,?2) "
                                                   "ON CONFLICT(name) DO UPDATE SET retrieved=?2"));
    return set.bind(1, connector).bind(2, milliseconds(when)).run();
  });
}

Result<bool> Spool::was_warned(const std::string& id) {
  const auto sequence = mail::parse_id(id);
  LONGLINE_TRY(const bool there, has_table("warned"));
  if (!there || !sequence) return true;
  LONGLINE_TRY(SqliteStatement find, db_->prepare("SELECT 1 FROM warned WHERE seq=?"));
  return find.bind(1, *sequence).step();
}

}  // namespace longline::sys
