// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "base/text.hpp"
#include "link/budget.hpp"
#include "link/tariff.hpp"
#include "mail/flush_plan.hpp"
#include "sys/flush/peer_connection.hpp"
#include "sys/link/call_gate.hpp"
#include "sys/local_clock.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

constexpr std::int64_t kBitsPerByte = 10;          // start and stop bit
constexpr Duration kUsualRoundTrip{500};           // of a dial-up line that nothing is known of

/// One link, or one connector of the LAN.
struct Lane {
  const config::Link* link = nullptr;
  const config::Connector* connector = nullptr;    // the first of it
  std::map<const config::Connector*, mail::FlushPlan> peers{};
  mail::LineFacts facts{};                         // of the first peer: what is shown
  bool learned = false;
};

struct Limit {
  std::optional<Duration> time{};
  std::string_view what{};
  void at_most(Duration other, std::string_view name) {
    if (time && *time <= other) return;
    time = std::max(other, Duration(0));
    what = name;
  }
};

/// What was learned about the connector's peer, else about another peer of its link, else what the link's port says.
Result<mail::LineFacts> facts_of(const config::Connector& connector, const config::Config& config, sys::Spool& spool, bool& learned) {
  mail::LineFacts facts;
  facts.carries_ip = connector.host != "line";
  facts.resumes = connector.protocol == config::Protocol::x400;
  facts.opening_trips = facts.carries_ip ? 3 : 2;
  if (connector.tls == config::TlsMode::opportunistic || connector.tls == config::TlsMode::required) facts.opening_trips += 3;
  if (connector.tls == config::TlsMode::implicit) facts.opening_trips += 1;
  if (!connector.user.empty()) facts.opening_trips += 1;
  LONGLINE_TRY(const auto window, spool.peer_window(connector.name));
  if (window) facts.window = window->messages;
  const WallTime now = sys::wall_now();
  std::vector<const config::Connector*> candidates = {&connector};
  for (const config::Connector& other : config.connectors) {
    if (!connector.link.empty() && other.link == connector.link && &other != &connector) candidates.push_back(&other);
  }
  for (const config::Connector* candidate : candidates) {
    LONGLINE_TRY(const mail::PeerMemory memory, spool.peer_memory(candidate->name, to_string(sys::peer_address(*candidate)), now));
    if (memory.rate <= 0) continue;
    facts.rate = memory.rate;
    facts.round_trip = memory.round_trip;
    learned = true;
    return facts;
  }
  if (const config::Link* link = config.find_link(connector.link)) {
    facts.rate = link->speed / kBitsPerByte;
    facts.round_trip = kUsualRoundTrip;
  }
  return facts;
}

/// Of one message, what one connector has to do with it.
struct Part {
  std::size_t recipients = 0, bytes = 0;
};

std::map<const config::Connector*, Part> parts_of(const mail::QueuedMessage& message, mail::ConnectorChoice& choice) {
  std::map<const config::Connector*, Part> parts;
  for (const mail::Recipient& r : message.recipients) {
    const config::Connector* connector = r.finished() ? nullptr : choice.choose(r.address).connector;
    if (connector == nullptr || mail::why_too_large(*connector, message.size)) continue;
    ++parts[connector].recipients;
    parts[connector].bytes += r.address.size();
  }
  return parts;
}

Limit limit_of(const Lane& lane, const World& world, const std::optional<Duration>& deadline) {
  Limit limit;
  if (deadline) limit.at_most(*deadline, "deadline");
  if (lane.link == nullptr) return limit;
  limit.at_most(lane.link->max_call, "max-call");
  const sys::LinkStanding standing = sys::link_standing(world.paths, *lane.link, false, true);
  const LocalClock clock = sys::local_clock();
  const WallTime now = sys::wall_now();
  const auto left = link::time_left(lane.link->budget, lane.link->tariff, standing.usage, Duration(0), now, local_day(now, clock),
                                    local_month(now, clock));
  if (left) limit.at_most(*left, "budget");
  return limit;
}

struct Totals {
  mail::LineCost all{}, fits{};
  std::optional<double> cost{}, fits_cost{};
  Limit limit{};
};

Totals totals_of(const Lane& lane, const Limit& limit) {
  Totals out;
  out.limit = limit;
  double left = limit.time ? static_cast<double>(limit.time->count()) / 1000.0 : 0;
  for (const auto& [connector, plan] : lane.peers) {
    out.all.add(plan.all());
    const mail::LineCost part = limit.time ? plan.within(Duration(static_cast<std::int64_t>(left * 1000.0))) : plan.all();
    left -= part.seconds;
    out.fits.add(part);
  }
  if (lane.link != nullptr) {
    const auto money = [&](const mail::LineCost& part) {
      if (part.messages == 0) return 0.0;
      return link::from_money(link::cost_of(lane.link->tariff, Duration(static_cast<std::int64_t>(part.seconds * 1000.0))));
    };
    out.cost = money(out.all);
    out.fits_cost = money(out.fits);
  }
  return out;
}

std::optional<double> seconds_of(const Lane& lane, const mail::LineCost& cost) {
  return lane.facts.rate > 0 ? std::optional<double>(static_cast<double>(static_cast<std::int64_t>(cost.seconds * 10.0 + 0.5)) / 10.0) : std::nullopt;
}

JsonObject to_json(const Lane& lane, const Totals& totals) {
  JsonObject out, fits;
  const bool all = totals.fits.messages == totals.all.messages;
  fits.set("messages", totals.fits.messages).set("bytes", totals.fits.bytes).set("seconds", seconds_of(lane, totals.fits));
  fits.set("cost", totals.fits_cost).set("all", all);
  fits.set("limit", totals.limit.time ? std::optional<std::string>(totals.limit.what) : std::nullopt);
  fits.set("limit_seconds", totals.limit.time ? std::optional<double>(static_cast<double>(totals.limit.time->count()) / 1000.0) : std::nullopt);
  out.set("link", lane.link == nullptr ? std::nullopt : std::optional<std::string>(lane.link->name));
  out.set("connector", lane.link == nullptr ? std::optional<std::string>(lane.connector->name) : std::nullopt);
  out.set("messages", totals.all.messages).set("bytes", totals.all.bytes).set("wire_bytes", totals.all.wire_bytes);
  out.set("round_trips", totals.all.round_trips).set("seconds", seconds_of(lane, totals.all)).set("cost", totals.cost);
  out.set("rate", lane.facts.rate > 0 ? std::optional<std::int64_t>(lane.facts.rate) : std::nullopt);
  out.set("round_trip", lane.facts.rate > 0 ? std::optional<double>(static_cast<double>(lane.facts.round_trip.count()) / 1000.0) : std::nullopt);
  out.set("learned", lane.learned).set("fits", fits);
  return out;
}

std::string shown_time(const std::optional<double>& seconds) {
  if (!seconds) return "-";
  const auto whole = static_cast<std::int64_t>(*seconds + 0.999);
  return format_duration(Duration(whole >= 3600 ? whole / 60 * 60'000 : whole * 1000));
}

std::string to_text(const Lane& lane, const Totals& totals) {
  const std::string name = escape(lane.link == nullptr ? lane.connector->name : lane.link->name);
  std::string fits = "all of it";
  if (totals.fits.messages < totals.all.messages) {
    fits = fmt::format("{} of {} messages, {}", totals.fits.messages, totals.all.messages, format_size(totals.fits.bytes));
  }
  if (totals.limit.time) fits += fmt::format(" ({} {})", totals.limit.what, format_duration(*totals.limit.time));
  std::string rate = lane.facts.rate > 0 ? fmt::format("{}/s{}", format_size(lane.facts.rate), lane.learned ? "" : "?") : "-";
  return fmt::format("{:<14} {:>8} {:>9} {:>9} {:>6} {:>9} {:>8} {:>10}  {}\n", name, totals.all.messages, format_size(totals.all.bytes),
                     format_size(totals.all.wire_bytes), totals.all.round_trips, shown_time(seconds_of(lane, totals.all)),
                     totals.cost ? link::format_money(link::to_money(*totals.cost)) : "-", rate, fits);
}

}  // namespace

Result<ExitStatus> run_plan(const Options& options, World& world) {
  const PlanOptions& asked = options.plan;
  LONGLINE_CHECK(check_link(world, asked.link));
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world.paths.spool));
  LONGLINE_TRY(mail::ConnectorStates states, spool.connector_states());
  const WallTime now = sys::wall_now();
  mail::ConnectorChoice choice(world.config, std::move(states), now);
  std::map<std::string, Lane> lanes;
  const auto plan_of = [&](const config::Connector& connector) -> Result<mail::FlushPlan*> {
    Lane& lane = lanes[mail::lease_name(connector)];
    if (const auto known = lane.peers.find(&connector); known != lane.peers.end()) return &known->second;
    bool learned = false;
    LONGLINE_TRY(const mail::LineFacts facts, facts_of(connector, world.config, spool, learned));
    if (lane.connector == nullptr) {
      lane.connector = &connector;
      lane.link = world.config.find_link(connector.link);
      lane.facts = facts;
      lane.learned = learned;
    }
    return &lane.peers.emplace(&connector, mail::FlushPlan(facts, now)).first->second;
  };
  // A link that was asked about is shown even where nothing waits for it.
  for (const config::Connector& connector : world.config.connectors) {
    if (!asked.link.empty() && connector.link == asked.link) LONGLINE_CHECK(plan_of(connector));
  }
  std::optional<Error> trouble;
  LONGLINE_TRY(const std::unique_ptr<mail::QueueBackend> queue, open_queue(world, false));
  LONGLINE_CHECK(queue->visit([&](mail::QueuedMessage&& message) {
    if (message.state == mail::MessageState::held) return true;
    for (const auto& [connector, part] : parts_of(message, choice)) {
      if (!asked.link.empty() && connector->link != asked.link) continue;
      const Result<mail::FlushPlan*> plan = plan_of(*connector);
      if (!plan) trouble = plan.error();
      else (*plan)->add(message, part.recipients, part.bytes);
    }
    return !trouble;
  }));
  if (trouble) return std::move(*trouble);
  if (options.common.quiet) return ExitStatus::ok;
  bool header = !options.common.json;
  for (const config::Connector& connector : world.config.connectors) {
    const auto lane = lanes.extract(mail::lease_name(connector));
    if (lane.empty()) continue;
    const Totals totals = totals_of(lane.mapped(), limit_of(lane.mapped(), world, asked.deadline));
    if (header) std::printf("%-14s %8s %9s %9s %6s %9s %8s %10s  %s\n", "LINK", "MESSAGES", "BYTES", "ON LINE", "TRIPS", "TIME", "COST", "RATE", "FITS");
    header = false;
    std::printf("%s", options.common.json ? (to_json(lane.mapped(), totals).dump() + "\n").c_str() : to_text(lane.mapped(), totals).c_str());
  }
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
