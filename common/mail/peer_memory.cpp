// SPDX-License-Identifier: MIT
#include "mail/peer_memory.hpp"

#include <algorithm>

namespace longline::mail {
namespace {

constexpr Duration kDay{24 * 3'600'000};
constexpr Duration kLimitCounts = kDay * 7;
constexpr Duration kBlameCounts = kDay * 30;
constexpr int kMostCounted = 400;

bool is_recent(WallTime then, WallTime now, Duration for_so_long) { return then <= now && now - then < for_so_long; }

}  // namespace

double PeerMemory::rejection() const {
  constexpr double kOf = 50, kRejectedOf = 1;   // before anything is known
  return (kRejectedOf + rejected) / (kOf + tried);
}

PeerMemory recall(PeerMemory memory, WallTime now) {
  if (!is_recent(memory.learned, now, kLimitCounts)) memory.size_limit = 0;
  if (!is_recent(memory.blamed, now, kBlameCounts)) memory.lock_step = memory.no_chunking = false;
  if (!is_recent(memory.blamed, now, kDay)) memory.no_tls = false;
  return memory;
}

PeerMemory learn(PeerMemory memory, const SmtpPeer& peer, const SmtpLessons& lessons, WallTime now) {
  memory = recall(memory, now);
  // Of a session that was cut behind EHLO the limit may be cut, too.
  if (lessons.tried > 0) memory.size_limit = peer.size_limit;
  memory.tried += lessons.tried;
  memory.rejected += lessons.rejected;
  while (memory.tried > kMostCounted) {
    memory.tried /= 2;
    memory.rejected /= 2;
  }
  if (lessons.rate > 0) {
    const bool was_known = memory.known_rate() > 0;
    memory.rate = lessons.rate_is_least && was_known ? std::max(memory.rate, lessons.rate) : lessons.rate;
    memory.rate_is_least = lessons.rate_is_least && !was_known;
  }
  if (lessons.round_trip) memory.round_trip = *lessons.round_trip;
  memory.learned = now;
  return memory;
}

void apply(const PeerMemory& memory, SmtpClientOptions& options) {
  options.rejection = memory.rejection();
  options.rate = memory.rate;
  if (memory.lock_step) options.pipelining = options.chunking = false;
  if (memory.no_chunking) options.chunking = false;
  if (memory.no_tls && options.starttls == StartTlsUse::if_offered) options.starttls = StartTlsUse::never;
}

}  // namespace longline::mail
