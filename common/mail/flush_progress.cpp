// SPDX-License-Identifier: MIT
#include "mail/flush_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/time.hpp"

namespace longline::mail {
namespace {

constexpr int kBar = 12;
constexpr std::size_t kColumns = 79;

}  // namespace

std::string to_text(const FlushProgress& progress) {
  const std::int64_t total = std::max<std::int64_t>(progress.bytes_total, 1), done = std::clamp<std::int64_t>(progress.bytes_done, 0, total);
  const int filled = static_cast<int>(static_cast<double>(done) / static_cast<double>(total) * kBar);
  std::string bar(static_cast<std::size_t>(filled), '=');
  if (filled < kBar) bar += '>';
  bar.resize(kBar, ' ');
  std::string out = fmt::format("[{}] {}/{} messages, {} of {}", bar, progress.done, progress.total, format_size(done), format_size(progress.bytes_total));
  if (progress.rate > 0) {
    out += fmt::format(", {}/s", format_size(progress.rate));
    const std::int64_t seconds = (total - done + progress.rate - 1) / progress.rate;
    constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;
    if (seconds > 0 && seconds < 100 * kDay) {
      const std::int64_t shown = seconds >= kHour ? seconds / 60 * 60 : seconds;
      out += fmt::format(", {} left", format_duration(Duration(shown * 1000)));
    }
  }
  if (out.size() > kColumns) out.resize(kColumns);
  return out;
}

}  // namespace longline::mail
