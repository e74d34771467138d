// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>

#include "base/json.hpp"
#include "base/text.hpp"
#include "common/tool.hpp"
#include "dialctl.d/policy_text.hpp"
#include "dialctl.d/verbs.hpp"
#include "link/call_history.hpp"
#include "link/call_policy.hpp"
#include "sys/link/ledger.hpp"
#include "sys/local_clock.hpp"

namespace longline::tools::dialctl {
namespace {

constexpr std::int64_t kMost = 100'000;

link::CallEnd end_of(const sys::LedgerCall& call) {
  if (!call.ended) return {};
  return link::judge_end({call.code, call.stage, call.cause}, call.figures.due, call.figures.moved);
}

JsonObject as_json(const sys::LedgerCall& call) {
  const sys::CallFigures& f = call.figures;
  const link::CallEnd end = end_of(call);
  const auto time = [](const std::optional<WallTime>& t) { return t ? std::optional(format_iso8601(*t)) : std::nullopt; };
  const auto maybe = [](const std::string& s) { return s.empty() ? std::nullopt : std::optional(s); };
  JsonObject out;
  out.set("link", call.link).set("started", format_iso8601(call.started)).set("connected", time(f.connected)).set("ended", time(call.ended));
  out.set("number", f.number).set("attempts", f.attempts).set("seconds", seconds(f.duration));
  out.set("bytes_in", f.bytes_in).set("bytes_out", f.bytes_out).set("cost", link::from_money(f.cost));
  out.set("result", !call.ended ? "under-way" : end.code.empty() ? "ok" : end.code).set("stage", maybe(end.stage)).set("ras", call.ras);
  out.set("cause", maybe(end.cause)).set("signal_dbm", f.signal).set("due", f.due).set("moved", f.moved);
  return out;
}

std::string as_line(const sys::LedgerCall& call, const LocalClock& clock) {
  const sys::CallFigures& f = call.figures;
  const std::string code = end_of(call).code;
  std::string result = !call.ended ? "under way" : code.empty() ? "ok" : escape_at_most(code, 32);
  if (call.ras) result += fmt::format(" ({})", *call.ras);
  return fmt::format("{:<21} {:<12} {:<16} {:>8} {:>9} {:>9} {:>8}  {}\n", link::format_local(call.started, clock), escape_at_most(call.link, 32),
                     f.number.empty() ? "-" : escape_at_most(f.number, 32), f.connected ? fmt::format("{:.1f}", seconds(f.duration) / 60) : "-",
                     format_size(f.bytes_in), format_size(f.bytes_out), link::format_money(f.cost), result);
}

}  // namespace

Result<ExitStatus> history(const World& world) {
  const std::string& only = world.options.link;
  const LocalClock clock = sys::local_clock();
  LONGLINE_TRY(const WallTime since, since_when(world.options.since.empty() ? "31d" : world.options.since));
  Result<sys::Ledger> ledger = sys::Ledger::open_read_only(world.paths.calls);
  std::vector<sys::LedgerCall> calls;
  if (ledger) {
    LONGLINE_TRY(calls, ledger->calls(only, since, kMost));
  } else if (ledger.error().code != Errc::not_found) {
    return std::move(ledger).error();
  }
  // A link that was taken out of the configuration has its history still; one that never was has none.
  if (!only.empty() && calls.empty()) LONGLINE_CHECK(named_link(world));
  if (world.options.common.json) {
    for (const sys::LedgerCall& call : calls) print(as_json(call).dump() + "\n");
    return ExitStatus::ok;
  }
  if (calls.empty()) return ExitStatus::ok;
  std::vector<link::PastCall> past;
  print(fmt::format("{:<21} {:<12} {:<16} {:>8} {:>9} {:>9} {:>8}  {}\n", "started", "link", "number", "minutes", "in", "out", "cost", "result"));
  for (const sys::LedgerCall& call : calls) {
    const sys::CallFigures& f = call.figures;
    print(as_line(call, clock));
    past.push_back({f.connected.value_or(call.started), f.connected.has_value(), f.duration, f.bytes_in + f.bytes_out, f.cost, end_of(call).code, call.ras});
  }
  print("\n" + link::draw_days(link::sum_by_day(past, clock)));
  if (const std::string causes = link::draw_causes(link::sum_by_cause(past)); !causes.empty()) print("\n" + causes);
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
