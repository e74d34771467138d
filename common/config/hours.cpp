// SPDX-License-Identifier: MIT
#include "config/hours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace longline::config {
namespace {

constexpr std::chrono::minutes kQuarter{15};
constexpr std::chrono::hours kFarthest{8 * 24};

/// The first minute from `from` on at which `within_hours` is `wanted`. Walks by the quarters of an hour, at which alone a zone's
/// offset changes, so that neither a skipped nor a repeated hour needs a rule of its own.
std::optional<WallTime> first_time(const std::vector<Hours>& hours, WallTime from, bool wanted, const LocalClock& clock) {
  if (within_hours(hours, clock(from)) == wanted) return from;
  for (WallTime quarter = std::chrono::floor<std::chrono::minutes>(from); quarter < from + kFarthest;) {
    const WallTime next = quarter - quarter.time_since_epoch() % kQuarter + kQuarter;
    const LocalTime local = clock(quarter);
    const int minutes = static_cast<int>((next - quarter) / std::chrono::minutes(1));
    for (int i = 0; i < minutes; ++i) {
      LocalTime minute = local;
      minute.minute += i;
      if (minute.minute >= 24 * 60) break;   // midnight lies on a quarter
      const WallTime at = quarter + std::chrono::minutes(i);
      if (at > from && within_hours(hours, minute) == wanted) return at;
    }
    quarter = next;
  }
  return std::nullopt;
}

std::string format_days(unsigned days) {
  // A run of days that goes over the week's end starts in the week before it.
  std::string out;
  constexpr unsigned kAll = 0x7F;
  if ((days & kAll) == kAll) return "Mo-Su";
  const auto has = [&](unsigned day) { return (days & 1U << day % 7) != 0; };
  for (unsigned day = 1; day <= 7; ++day) {
    if (!has(day) || has(day + 6)) continue;
    unsigned last = day;
    while (has(last + 1)) ++last;
    out += out.empty() ? "" : ",";
    out += kDayNames[day % 7];
    if (last != day) out += fmt::format("{}{}", last == day + 1 ? "," : "-", kDayNames[last % 7]);
  }
  return out;
}

}  // namespace

bool within_hours(const std::vector<Hours>& hours, const LocalTime& at) {
  return hours.empty() || std::any_of(hours.begin(), hours.end(), [&](const Hours& h) {
           return (h.days & 1U << at.weekday) != 0 && at.minute >= h.from && at.minute < h.until;
         });
}

std::optional<WallTime> next_within(const std::vector<Hours>& hours, WallTime from, const LocalClock& clock) {
  return first_time(hours, from, true, clock);
}

std::optional<WallTime> end_of_hours(const std::vector<Hours>& hours, WallTime from, const LocalClock& clock) {
  if (hours.empty()) return std::nullopt;
  return first_time(hours, from, false, clock);
}

std::string format_hours(const std::vector<Hours>& hours) {
  std::string out;
  for (const Hours& h : hours) {
    out += fmt::format("{}{} {:02}:{:02}-{:02}:{:02}", out.empty() ? "" : ", ", format_days(h.days), h.from / 60, h.from % 60,
                       h.until / 60, h.until % 60);
  }
  return out;
}

}  // namespace longline::config
