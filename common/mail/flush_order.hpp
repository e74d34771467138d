// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "mail/queue.hpp"

namespace longline::mail {

/// A message's place in a flush: urgent ones first, then by priority; within a priority what was deferred to a later time goes last, so that
/// one at which the peer hangs up each time keeps no other from going; then small before large, and the size that counts
/// is halved by every hour of waiting, so that a large one that has waited long enough goes before small ones that just came (at most
/// a day and a half, whatever the sizes: 2^31 bytes are the most that the spool holds).
struct FlushPlace {
  int priority = 0;
  bool rests = false;       ///< its next attempt is not due: what is goes first
  double weight = 0;        ///< log2 of the size that counts
  std::string id;           ///< the older of two equals
  /// Before: it goes first.
  bool operator<(const FlushPlace& other) const;
};

/// `now` must be the same for all places that are compared. A time of arrival in the future counts as now.
FlushPlace flush_place(const QueuedMessage& message, WallTime now);
FlushPlace flush_place(std::string id, int priority, bool rests, std::int64_t size, WallTime arrived, WallTime now);
/// Whether all who wait for it were deferred to a later time.
bool rests(const QueuedMessage& message, WallTime now);

}  // namespace longline::mail
