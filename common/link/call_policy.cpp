// SPDX-License-Identifier: MIT
#include "link/call_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "config/hours.hpp"

namespace longline::link {
namespace {

bool hours_hold(const config::Link& link, bool urgent) { return !link.hours.empty() && !(urgent && link.urgent_any_hour); }

/// The first time from `from` on that hours and budget allow. What today and this month hold is known; later ones start at nothing.
std::optional<WallTime> next_call(const config::Link& link, Usage usage, WallTime now, WallTime from, bool urgent, const LocalClock& clock) {
  const WallTime tomorrow = local_day(now, clock).end, next_month = local_month(now, clock).end;
  for (int round = 0; round < 8; ++round) {
    if (hours_hold(link, urgent)) {
      const std::optional<WallTime> open = next_within(link.hours, from, clock);
      if (!open) return std::nullopt;
      from = *open;
    }
    if (from >= tomorrow) usage.calls_today = 0, usage.today = Duration(0);
    if (from >= next_month) usage.month = Duration(0), usage.cost_month = 0;
    const std::optional<Spent> limit = spent(link.budget, link.tariff, usage);
    if (!limit) return from;
    if (limit->until == Spent::Until::for_ever) return std::nullopt;
    const WallTime renewed = limit->until == Spent::Until::tomorrow ? tomorrow : next_month;
    if (from >= renewed) return std::nullopt;
    from = renewed;
  }
  return std::nullopt;
}

std::string when(const std::optional<WallTime>& next, const LocalClock& clock) {
  return next ? fmt::format("the next call is allowed on {}", format_local(*next, clock)) : "no call is allowed";
}

std::string at_utc(const std::optional<WallTime>& next, std::string_view more) {
  return next ? fmt::format("allowed from {} on{}", format_iso8601(*next), more) : std::string("change the link's entry");
}

}  // namespace

Standing judge_call(const config::Link& link, const CallQuestion& question, const LocalClock& clock) {
  Standing out;
  const WallTime now = question.now.wall;
  WallTime from = now;
  bool waits_for_a_person = false;
  if (link.backoff && question.backoff) {
    const BackoffState& state = *question.backoff;
    waits_for_a_person = state.for_good;
    const Duration left = remaining(state, *link.backoff, question.now);
    out.unreachable = waits_for_a_person || left > Duration(0);
    if (left > Duration(0) && !waits_for_a_person) out.unreachable_until = from = std::chrono::ceil<std::chrono::seconds>(now + left);
  }
  const std::optional<WallTime> next = next_call(link, question.usage, now, from, question.urgent, clock);
  if (!waits_for_a_person) out.next = next;
  if (hours_hold(link, question.urgent) && !within_hours(link.hours, clock(now))) {
    out.reason = Standing::Reason::hours;
    out.refusal = Error(Errc::outside_hours, fmt::format("outside the hours ({}); {}", format_hours(link.hours), when(next, clock)), Stage::policy)
                      .with_hint(at_utc(next, link.urgent_any_hour ? ", or at once with --grade urgent" : ""));
  } else if (const std::optional<Spent> limit = spent(link.budget, link.tariff, question.usage)) {
    out.reason = Standing::Reason::budget;
    out.refusal = Error(Errc::over_budget, fmt::format("the budget is spent ({}); {}", limit->what, when(next, clock)), Stage::policy)
                      .with_hint(at_utc(next, ""));
  } else if (waits_for_a_person) {
    out.reason = Standing::Reason::backoff;
    out.refusal = Error(Errc::sim_pin_refused, fmt::format("not called until somebody has looked at it: {}", question.backoff->error.what),
                        Stage::policy)
                      .with_hint("--now calls again; the SIM may have few tries left");
  } else if (out.unreachable) {
    const BackoffState& state = *question.backoff;
    out.reason = Standing::Reason::backoff;
    out.refusal = Error(Errc::unreachable,
                        fmt::format("unreachable until {}, after {} failed call{}: {}", format_local(*out.unreachable_until, clock),
                                    state.failures, state.failures == 1 ? "" : "s", state.error.what),
                        Stage::policy)
                      .with_hint(at_utc(next, "; --now calls at once"));
  }
  return out;
}

std::string_view to_string(Standing::Reason reason) {
  switch (reason) {
    case Standing::Reason::none: break;
    case Standing::Reason::hours: return "dial-out-hours";
    case Standing::Reason::budget: return "budget";
    case Standing::Reason::backoff: return "connection-failure";
  }
  return "";
}

std::optional<CallLimit> call_limit(const config::Link& link, const Usage& others, Duration connected, bool urgent, WallTime now,
                                    const LocalClock& clock) {
  std::optional<CallLimit> limit;
  if (hours_hold(link, urgent)) {
    if (const std::optional<WallTime> end = end_of_hours(link.hours, now, clock)) {
      limit = CallLimit{*end, Error(Errc::call_limit, "the hours of the link ended: hung up (hours)", Stage::policy)};
    }
  }
  const std::optional<Duration> left = time_left(link.budget, link.tariff, others, connected, now, local_day(now, clock), local_month(now, clock));
  if (left && (!limit || now + *left < limit->at)) {
    limit = CallLimit{now + std::max(*left, Duration(0)), Error(Errc::call_limit, "the budget of the link is spent: hung up (budget)", Stage::policy)};
  }
  return limit;
}

std::string format_local(WallTime at, const LocalClock& clock) {
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const LocalTime local = clock(at);
  return fmt::format("{} {:04}-{:02}-{:02} {:02}:{:02}", kDays[local.weekday % 7], local.year, local.month, local.day, local.minute / 60,
                     local.minute % 60);
}

}  // namespace longline::link
