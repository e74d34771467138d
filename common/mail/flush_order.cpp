// SPDX-License-Identifier: MIT
#include "mail/flush_order.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace longline::mail {

bool FlushPlace::operator<(const FlushPlace& other) const {
  return std::tuple(-priority, rests, weight, std::string_view(id)) < std::tuple(-other.priority, other.rests, other.weight, std::string_view(other.id));
}

FlushPlace flush_place(const QueuedMessage& message, WallTime now) {
  return flush_place(message.id, message.priority, rests(message, now), message.size, message.arrived, now);
}

bool rests(const QueuedMessage& message, WallTime now) {
  return std::none_of(message.recipients.begin(), message.recipients.end(), [&](const Recipient& r) { return !r.finished() && is_due(message, r, now); });
}

FlushPlace flush_place(std::string id, int priority, bool rests, std::int64_t size, WallTime arrived, WallTime now) {
  constexpr double kHour = 3'600'000;
  const double waited = static_cast<double>(std::max<std::int64_t>((now - arrived).count(), 0)) / kHour;
  return {priority, rests, std::log2(static_cast<double>(std::max<std::int64_t>(size, 1))) - waited, std::move(id)};
}

}  // namespace longline::mail
