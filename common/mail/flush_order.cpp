// SPDX-License-Identifier: MIT
#include "mail/flush_order.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace longline::mail {

bool FlushPlace::operator<(const FlushPlace& other) const {
  return std::tuple(-priority, weight, std::string_view(id)) < std::tuple(-other.priority, other.weight, std::string_view(other.id));
}

FlushPlace flush_place(const QueuedMessage& message, WallTime now) {
  constexpr double kHour = 3'600'000;
  const double waited = static_cast<double>(std::max<std::int64_t>((now - message.arrived).count(), 0)) / kHour;
  return {message.priority, std::log2(static_cast<double>(std::max<std::int64_t>(message.size, 1))) - waited, message.id};
}

}  // namespace longline::mail
