// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/local_time.hpp"
#include "link/tariff.hpp"

namespace longline::link {

/// How a call that is over ended.
struct CallEnd {
  std::string code{};                    ///< of the error; "" when it ended as asked
  std::string stage{};
  std::string cause{};                   ///< one sentence
};
/// That it was put down as asked says nothing good of a call for which mail was due and that moved none (the event link.nothing-moved): it has the
/// code "nothing-moved". What broke a call off remains its end.
CallEnd judge_end(CallEnd end, std::int64_t due, std::int64_t moved);

/// A call that is over or under way, as far as sums go.
struct PastCall {
  WallTime begun{};                      ///< CONNECT, or the first dial command of one that never came so far
  bool connected = false;
  Duration duration{};
  std::int64_t bytes = 0;                ///< both ways
  Money cost = 0;
  std::string code{};                    ///< CallEnd's; "" also while it is under way
  std::optional<std::int64_t> ras{};
};

struct DaySum {
  std::string day;                       ///< "2026-11-25", local
  std::int64_t calls = 0;                ///< connected
  std::int64_t failed = 0;
  Duration duration{};
  std::int64_t bytes = 0;
  Money cost = 0;
};
/// One for each day that has calls, in order.
std::vector<DaySum> sum_by_day(const std::vector<PastCall>& calls, const LocalClock& clock);

struct CauseSum {
  std::string code;
  std::optional<std::int64_t> ras{};
  std::int64_t count = 0;
};
/// Failures, the most frequent first. A call that was ended by idle or a limit is none.
std::vector<CauseSum> sum_by_cause(const std::vector<PastCall>& calls);

/// The two tables as text with bars, for people; "" when there is nothing to show.
std::string draw_days(const std::vector<DaySum>& days);
std::string draw_causes(const std::vector<CauseSum>& causes);

}  // namespace longline::link
