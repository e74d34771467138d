// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "base/local_time.hpp"
#include "config/policy.hpp"

namespace longline::config {

/// Counts the time in which something could be used: the minutes that lie within the hours of all that it needs (a link, a connector).
/// What was not up, spent its budget or had no power does not matter: somebody could have made it work. Keeps the windows that it
/// found, so that a hundred thousand questions about the same months are one walk through the calendar.
class UsableTime {
 public:
  /// Without any hours all time counts.
  UsableTime(std::vector<Hours> first, std::vector<Hours> second, LocalClock clock);

  /// Zero when `until` is not later. Of more than ten years the last ten count.
  Duration between(WallTime from, WallTime until);
  /// The moment at which so much usable time has passed since `from`; nullopt: not within ten years.
  std::optional<WallTime> after(WallTime from, Duration usable);

 private:
  struct Window {
    WallTime begin, end;
    Duration before{};   ///< usable time in the windows before it
  };
  /// Finds windows until `walked_` is at least `until`.
  void walk(WallTime until);
  void start_at(WallTime from);
  Duration passed(WallTime at) const;   ///< since the walk's start
  bool always() const { return first_.empty() && second_.empty(); }

  std::vector<Hours> first_, second_;
  LocalClock clock_;
  std::vector<Window> windows_;
  std::optional<WallTime> start_;
  WallTime walked_{};
};

}  // namespace longline::config
