// SPDX-License-Identifier: MIT
#include "config/usable_time.hpp"

#include <algorithm>

#include "config/hours.hpp"

namespace longline::config {
namespace {

constexpr Duration kTenYears{std::int64_t{3650} * 86'400'000};
constexpr Duration kWeek{std::int64_t{7} * 86'400'000};

}  // namespace

UsableTime::UsableTime(std::vector<Hours> first, std::vector<Hours> second, LocalClock clock)
    : first_(std::move(first)), second_(std::move(second)), clock_(std::move(clock)) {}

void UsableTime::start_at(WallTime from) {
  if (start_ && *start_ <= from) return;
  // Earlier than asked before: a week of reserve, so that a list that is not quite in order does not begin anew each time.
  start_ = walked_ = from - kWeek;
  windows_.clear();
}

void UsableTime::walk(WallTime until) {
  while (walked_ < until) {
    const std::optional<WallTime> a = next_within(first_, walked_, clock_), b = next_within(second_, walked_, clock_);
    // Hours repeat weekly: what does not come in eight days never does. A week further each time, for bounded work.
    if (!a || !b) {
      walked_ += kWeek;
      continue;
    }
    if (*a != walked_ || *b != walked_) {
      walked_ = std::max(*a, *b);
      continue;
    }
    const WallTime longest = walked_ + kWeek;
    const WallTime end = std::min({end_of_hours(first_, walked_, clock_).value_or(longest),
                                   end_of_hours(second_, walked_, clock_).value_or(longest), longest});
    if (!windows_.empty() && windows_.back().end == walked_) {
      windows_.back().end = end;
    } else {
      const Duration before = windows_.empty() ? Duration(0) : windows_.back().before + (windows_.back().end - windows_.back().begin);
      windows_.push_back({walked_, end, before});
    }
    walked_ = end;
  }
}

Duration UsableTime::passed(WallTime at) const {
  const auto next = std::upper_bound(windows_.begin(), windows_.end(), at, [](WallTime t, const Window& w) { return t < w.begin; });
  if (next == windows_.begin()) return Duration(0);
  const Window& window = *std::prev(next);
  return window.before + (std::min(at, window.end) - window.begin);
}

Duration UsableTime::between(WallTime from, WallTime until) {
  if (until <= from) return Duration(0);
  if (always()) return until - from;
  from = std::max(from, until - kTenYears);
  start_at(from);
  walk(until);
  return passed(until) - passed(from);
}

std::optional<WallTime> UsableTime::after(WallTime from, Duration usable) {
  if (always() || usable <= Duration(0)) return from + usable;
  start_at(from);
  const WallTime latest = from + kTenYears;
  walk(from);
  const Duration wanted = passed(from) + usable;
  for (WallTime until = from + usable;; until = std::min(until + kWeek, latest)) {
    walk(until);
    const auto next = std::upper_bound(windows_.begin(), windows_.end(), wanted, [](Duration d, const Window& w) { return d <= w.before; });
    if (next != windows_.begin()) {
      const Window& window = *std::prev(next);
      if (wanted <= window.before + (window.end - window.begin)) return window.begin + (wanted - window.before);
    }
    if (until >= latest) return std::nullopt;
  }
}

}  // namespace longline::config
