// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline {

using Duration = std::chrono::milliseconds;
/// Steady: for timeouts. Only sys/system_clock.cpp asks the system for one; everywhere else time is an argument.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// Civil (UTC): for stored times, retries across reboots, and what people read.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// "90" (seconds), "500ms", "0.2s", "2m", "1h30m", "1.5h", "5d", "1w". At most ten years. What is less than a millisecond of a fraction is
/// left out. Errc::malformed otherwise.
Result<Duration> parse_duration(std::string_view text);
/// "500ms", "1m30s", "5d": the shortest text that parse_duration reads back as the same value.
std::string format_duration(Duration d);
/// "2026-11-22T23:10:51Z"; with milliseconds where they are not zero.
std::string format_iso8601(WallTime t);
/// The same text in place: listings have hundreds of thousands of them.
class Iso8601 {
 public:
  explicit Iso8601(WallTime t);
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 32> text_;
  std::size_t size_;
};
Result<WallTime> parse_iso8601(std::string_view text);
/// RFC 5322, 3.3: "Sun, 22 Nov 2026 23:10:51 +0000"
std::string format_rfc5322(WallTime t);

}  // namespace longline
