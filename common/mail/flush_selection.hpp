// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "mail/queue.hpp"
#include "mail/receipt.hpp"

namespace longline::mail {

/// What a flush asks another mail system to send, and the receipts of what it leaves alone.
struct FlushSelection {
  std::vector<QueuedMessage> asked;
  std::vector<Receipt> left;
};

struct FlushLimits {
  std::optional<std::int64_t> max_bytes{};                      ///< of messages; absent: no limit
  std::function<bool(const QueuedMessage&)> is_begun{};         ///< the mail system sends it, whoever asks: it counts and is not left
  WallTime now{};
};

/// Held messages are left: who names one does not end its hold. With a limit of bytes the others are taken in the order of a flush; one
/// that would pass the limit is left, and smaller ones behind it may still fit.
FlushSelection select_for_flush(std::vector<QueuedMessage> snapshot, const FlushLimits& limits);

}  // namespace longline::mail
