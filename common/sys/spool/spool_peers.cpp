// SPDX-License-Identifier: MIT
// What was learned about peers.
#include <cstdint>

#include "sys/spool/spool.hpp"
#include "sys/spool/stored_time.hpp"

namespace longline::sys {
namespace {

constexpr std::int64_t kLockStep = 1, kNoChunking = 2, kNoTls = 4, kRateIsLeast = 8;   // bits of `blame`

}  // namespace

Result<std::optional<mail::SendWindow>> Spool::peer_window(const std::string& peer) {
  if (!db_) return std::optional<mail::SendWindow>();
  LONGLINE_TRY(SqliteStatement find, db_->prepare("SELECT window, bytes FROM peers WHERE name=?"));
  LONGLINE_TRY(const bool row, find.bind(1, peer).step());
  if (!row) return std::optional<mail::SendWindow>();
  return std::optional<mail::SendWindow>(mail::SendWindow{static_cast<int>(find.integer(0)), find.integer(1)});
}

Result<void> Spool::set_peer_window(const std::string& peer, const mail::SendWindow& window, WallTime now) {
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement set, db_->prepare("INSERT OR REPLACE INTO peers VALUES(?,?,?,?)"));
    return set.bind(1, peer).bind(2, std::int64_t{window.messages}).bind(3, window.bytes)
        .bind(4, now.time_since_epoch().count()).run();
  });
}

Result<mail::PeerMemory> Spool::peer_memory(const std::string& peer, const std::string& hop, WallTime now) {
  if (!db_) return mail::PeerMemory();
  auto find = db_->prepare("SELECT size_limit, tried, rejected, rate, round_trip, blame, blamed, learned FROM peer_memory WHERE name=? AND hop=?");
  if (!find) return mail::PeerMemory();   // a spool that no writer of this longline has opened
  LONGLINE_TRY(const bool row, find->bind(1, peer).bind(2, hop).step());
  mail::PeerMemory memory;
  if (!row) return memory;
  memory.size_limit = static_cast<std::uint64_t>(find->integer(0));
  memory.tried = static_cast<int>(find->integer(1));
  memory.rejected = static_cast<int>(find->integer(2));
  memory.rate = find->integer(3);
  memory.round_trip = Duration(find->integer(4));
  const std::int64_t blame = find->integer(5);
  memory.lock_step = (blame & kLockStep) != 0;
  memory.no_chunking = (blame & kNoChunking) != 0;
  memory.no_tls = (blame & kNoTls) != 0;
  memory.rate_is_least = (blame & kRateIsLeast) != 0;
  memory.blamed = WallTime(Duration(find->integer(6)));
  memory.learned = WallTime(Duration(find->integer(7)));
  return mail::recall(memory, now);
}

Result<void> Spool::set_peer_memory(const std::string& peer, const std::string& hop, const mail::PeerMemory& memory) {
  const std::int64_t blame = (memory.lock_step ? kLockStep : 0) | (memory.no_chunking ? kNoChunking : 0) | (memory.no_tls ? kNoTls : 0) |
                             (memory.rate_is_least ? kRateIsLeast : 0);
  return change([&]() -> Result<void> {
    LONGLINE_TRY(SqliteStatement set, db_->prepare("INSERT OR REPLACE INTO peer_memory VALUES(?,?,?,?,?,?,?,?,?,?)"));
    return set.bind(1, peer).bind(2, hop).bind(3, static_cast<std::int64_t>(memory.size_limit)).bind(4, std::int64_t{memory.tried})
        .bind(5, std::int64_t{memory.rejected}).bind(6, memory.rate).bind(7, memory.round_trip.count()).bind(8, blame)
        .bind(9, milliseconds(memory.blamed)).bind(10, milliseconds(memory.learned)).run();
  });
}

}  // namespace longline::sys
