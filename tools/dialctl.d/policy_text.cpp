// SPDX-License-Identifier: MIT
#include "dialctl.d/policy_text.hpp"

#include <fmt/format.h>

#include "config/hours.hpp"
#include "sys/link/call_gate.hpp"
#include "sys/local_clock.hpp"

namespace longline::tools::dialctl {
namespace {

double minutes(Duration d) { return static_cast<double>(d.count()) / 60'000; }

std::vector<std::string> hours_of(const config::Link& link) {
  std::vector<std::string> out;
  for (const config::Hours& hours : link.hours) out.push_back(config::format_hours({hours}));
  return out;
}

bool has_tariff(const config::Link& link) { return link.tariff.setup > 0 || link.tariff.per_minute > 0; }

template <class T>
std::string of(const T& used, const std::optional<T>& limit) {
  return limit ? fmt::format("{} of {}", used, *limit) : fmt::format("{}", used);
}

}  // namespace

double seconds(Duration d) { return static_cast<double>(d.count()) / 1000; }

std::string policy_toml(const config::Link& link) {
  std::string out, items;
  const auto add = [&](std::string_view text) { items += (items.empty() ? "" : ", ") + std::string(text); };
  for (const std::string& hours : hours_of(link)) add(fmt::format("\"{}\"", hours));
  if (!items.empty()) out += fmt::format("hours = [{}]\nurgent-any-hour = {}\n", items, link.urgent_any_hour);
  if (link.backoff) out += fmt::format("backoff = \"{}..{}\"\n", format_duration(link.backoff->first), format_duration(link.backoff->longest));
  items.clear();
  const config::Budget& budget = link.budget;
  if (budget.calls_per_day) add(fmt::format("calls-per-day = {}", *budget.calls_per_day));
  if (budget.minutes_per_day) add(fmt::format("minutes-per-day = {}", *budget.minutes_per_day));
  if (budget.minutes_per_month) add(fmt::format("minutes-per-month = {}", *budget.minutes_per_month));
  if (budget.cost_per_month) add(fmt::format("cost-per-month = {}", *budget.cost_per_month));
  if (!items.empty()) out += fmt::format("budget = {{ {} }}\n", items);
  if (has_tariff(link)) {
    out += fmt::format("tariff = {{ setup = {}, per-minute = {}, increment = \"{}\" }}\n", link.tariff.setup, link.tariff.per_minute,
                       format_duration(link.tariff.increment));
  }
  return out;
}

JsonObject policy_json(const config::Link& link) {
  JsonObject out;
  out.set("hours", hours_of(link)).set("urgent-any-hour", link.urgent_any_hour);
  if (link.backoff) out.set("backoff", JsonObject().set("first", seconds(link.backoff->first)).set("longest", seconds(link.backoff->longest)));
  else out.set_null("backoff");
  const config::Budget& budget = link.budget;
  out.set("budget", JsonObject()
                        .set("calls-per-day", budget.calls_per_day)
                        .set("minutes-per-day", budget.minutes_per_day)
                        .set("minutes-per-month", budget.minutes_per_month)
                        .set("cost-per-month", budget.cost_per_month));
  out.set("tariff", JsonObject()
                        .set("setup", link.tariff.setup)
                        .set("per-minute", link.tariff.per_minute)
                        .set("increment", seconds(link.tariff.increment)));
  return out;
}

std::string policy_plan(const World& world, const config::Link& link) {
  const sys::LinkStanding now = sys::link_standing(world.paths, link, world.options.urgent, true);
  const config::Budget& budget = link.budget;
  std::string out;
  if (now.trouble) {
    out += fmt::format("  used      nobody knows: {}\n", now.trouble->message());
  } else {
    const link::Usage& used = now.usage;
    const auto whole = [](Duration d) { return d.count() / 60'000; };
    out += fmt::format("  used      today {} calls, {} minutes; this month {} minutes", of(used.calls_today, budget.calls_per_day),
                       of(whole(used.today), budget.minutes_per_day), of(whole(used.month), budget.minutes_per_month));
    if (has_tariff(link) || budget.cost_per_month) {
      out += fmt::format(", cost {}", link::format_money(used.cost_month));
      if (budget.cost_per_month) out += fmt::format(" of {}", link::format_money(link::to_money(*budget.cost_per_month)));
    }
    out += "\n";
  }
  const link::Standing& standing = now.standing;
  out += standing.refusal ? fmt::format("  allowed   not now: {}\n", standing.refusal->message()) : "  allowed   now\n";
  return out;
}

JsonObject policy_plan_json(const World& world, const config::Link& link) {
  const sys::LinkStanding now = sys::link_standing(world.paths, link, world.options.urgent, true);
  JsonObject out;
  if (now.trouble) {
    out.set_null("calls_today").set_null("minutes_today").set_null("minutes_month").set_null("cost_month");
  } else {
    out.set("calls_today", now.usage.calls_today).set("minutes_today", minutes(now.usage.today)).set("minutes_month", minutes(now.usage.month));
    out.set("cost_month", link::from_money(now.usage.cost_month));
  }
  const link::Standing& standing = now.standing;
  out.set("allowed", !standing.refusal.has_value());
  out.set("next_allowed", standing.next ? std::optional(format_iso8601(*standing.next)) : std::nullopt);
  if (standing.reason == link::Standing::Reason::none) out.set_null("reason");
  else out.set("reason", link::to_string(standing.reason));
  return out;
}

}  // namespace longline::tools::dialctl
