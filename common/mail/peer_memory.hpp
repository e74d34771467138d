// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "mail/smtp_client.hpp"

namespace longline::mail {

/// What earlier sessions taught about a peer; kept in the spool, by connector and next hop.
struct PeerMemory {
  std::uint64_t size_limit = 0;      ///< of SIZE; 0: none announced, or too long ago
  int tried = 0, rejected = 0;       ///< messages, and those of them that were refused before their body; old ones fade
  std::int64_t rate = 0;             ///< bytes a second; 0: not known
  bool rate_is_least = false;        ///< it may be much more: nothing was long enough on its way to tell
  Duration round_trip{0};            ///< 0: not known
  bool lock_step = false;            ///< takes no pipelined groups, whatever it announces
  bool no_chunking = false;          ///< does not know BDAT, whatever it announces
  bool no_tls = false;               ///< STARTTLS is announced and the handshake fails
  WallTime blamed{};                 ///< when the latest of these three was found
  WallTime learned{};                ///< the end of the last session
  bool operator==(const PeerMemory&) const = default;

  /// What a message can be held to that must be through in time; 0: not known.
  std::int64_t known_rate() const { return rate_is_least ? 0 : rate; }
  /// The probability that a message is refused before its body; 0.02 while little is known.
  double rejection() const;
};

/// What of it still counts: a limit for a week, blame for thirty days, for failed TLS one. A time ahead of now is none.
PeerMemory recall(PeerMemory memory, WallTime now);

/// After a session that was opened.
PeerMemory learn(PeerMemory memory, const SmtpPeer& peer, const SmtpLessons& lessons, WallTime now);

/// How the next session begins, from what is known.
void apply(const PeerMemory& memory, SmtpClientOptions& options);

}  // namespace longline::mail
