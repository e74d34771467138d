// SPDX-License-Identifier: MIT
#include "link/call_history.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace longline::link {
namespace {

constexpr std::int64_t kWidth = 10;

/// The largest fills the width; what is not nothing shows.
std::string bar(std::int64_t value, std::int64_t largest) {
  if (value <= 0 || largest <= 0) return "";
  const auto length = static_cast<std::int64_t>(static_cast<double>(value) / static_cast<double>(largest) * kWidth + 0.5);
  return std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(length, 1, kWidth)), '#');
}

bool is_failure(const PastCall& call) { return !call.code.empty() && call.code != "idle-timeout" && call.code != "call-limit"; }

}  // namespace

CallEnd judge_end(CallEnd end, std::int64_t due, std::int64_t moved) {
  if (!end.code.empty() || due <= 0 || moved > 0) return end;
  return {"nothing-moved", std::string(to_string(Stage::transfer)), fmt::format("{} message{} due, none moved", due, due == 1 ? " was" : "s were")};
}

std::vector<DaySum> sum_by_day(const std::vector<PastCall>& calls, const LocalClock& clock) {
  std::vector<DaySum> out;
  for (const PastCall& call : calls) {
    const LocalTime local = clock(call.begun);
    std::string day = fmt::format("{:04}-{:02}-{:02}", local.year, local.month, local.day);
    auto at = std::lower_bound(out.begin(), out.end(), day, [](const DaySum& sum, const std::string& name) { return sum.day < name; });
    if (at == out.end() || at->day != day) {
      at = out.insert(at, DaySum());
      at->day = std::move(day);
    }
    at->calls += call.connected ? 1 : 0;
    at->failed += is_failure(call) ? 1 : 0;
    at->duration += call.duration;
    at->bytes += call.bytes;
    at->cost += call.cost;
  }
  return out;
}

std::vector<CauseSum> sum_by_cause(const std::vector<PastCall>& calls) {
  std::vector<CauseSum> out;
  for (const PastCall& call : calls) {
    if (!is_failure(call)) continue;
    const auto at = std::find_if(out.begin(), out.end(), [&](const CauseSum& sum) { return sum.code == call.code; });
    if (at == out.end()) out.push_back({call.code, call.ras, 1});
    else ++at->count;
  }
  std::stable_sort(out.begin(), out.end(), [](const CauseSum& a, const CauseSum& b) { return a.count > b.count; });
  return out;
}

std::string draw_days(const std::vector<DaySum>& days) {
  if (days.empty()) return "";
  DaySum most;
  for (const DaySum& day : days) {
    most.duration = std::max(most.duration, day.duration);
    most.bytes = std::max(most.bytes, day.bytes);
    most.cost = std::max(most.cost, day.cost);
  }
  std::string out = fmt::format("{:<10} {:>5} {:>6}  {:>8} {:<10}  {:>8} {:<10}  {:>8}\n", "day", "calls", "failed", "minutes", "", "bytes", "", "cost");
  for (const DaySum& day : days) {
    std::string line = fmt::format("{:<10} {:>5} {:>6}  {:>8.1f} {:<10}  {:>8} {:<10}  {:>8} {}", day.day, day.calls, day.failed,
                                   static_cast<double>(day.duration.count()) / 60'000, bar(day.duration.count(), most.duration.count()),
                                   format_size(day.bytes), bar(day.bytes, most.bytes), format_money(day.cost), bar(day.cost, most.cost));
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string draw_causes(const std::vector<CauseSum>& causes) {
  if (causes.empty()) return "";
  std::string out = "failures by cause\n";
  for (const CauseSum& cause : causes) {
    const std::string name = escape_at_most(cause.code, 32) + (cause.ras ? fmt::format(" ({})", *cause.ras) : "");
    out += fmt::format("  {:<24} {:>6} {}\n", name, cause.count, bar(cause.count, causes.front().count));
  }
  return out;
}

}  // namespace longline::link
