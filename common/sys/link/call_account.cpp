// SPDX-License-Identifier: MIT
#include "sys/link/call_account.hpp"

#include <fmt/format.h>

#include <random>

#include "link/call_policy.hpp"
#include "sys/link/ledger_file.hpp"
#include "sys/local_clock.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr Duration kOffTheLine{2'000};     ///< for others' commits, before the call and after it
constexpr Duration kOnTheLine{100};        ///< while somebody waits for bytes
constexpr std::int64_t kPruneEvery = 64;   ///< calls

double random_fraction() {
  std::random_device device;
  return std::uniform_real_distribution<double>(0, 1)(device);
}

bool is_damage(const Error& error) { return error.code == Errc::io && error.sys_errno == 0; }

}  // namespace

CallAccount::CallAccount(config::Link link, const StatePaths& paths, EventSink& events)
    : link_(std::move(link)), path_(paths.calls), events_(events), clock_(local_clock()) {}

void CallAccount::note(Error error) {
  if (failure_told_) return;
  failure_told_ = true;
  events_.emit(failure_event("ledger.failed", std::nullopt, link_.name, error));
}

void CallAccount::begin() {
  const auto start = [&]() -> Result<void> {
    LONGLINE_TRY(ledger_, Ledger::open(path_, kOffTheLine));
    LONGLINE_TRY(id_, ledger_->begin(link_.name, wall_now()));
    ledger_->be_patient(kOnTheLine);
    return {};
  };
  Result<void> started = start();
  if (!started && is_damage(started.error())) {
    // Without this a damaged file would end every budget and backoff until a person comes by.
    ledger_.reset();
    set_ledger_aside(path_);
    Error error = std::move(started).error();
    error.what += "; moved to " + path_ + ".damaged, and a new one begun";
    note(std::move(error));
    started = start();
  }
  writable_ = started.has_value();
  if (writable_) return;
  note(std::move(started).error());
  ledger_.reset();
  // What is known already still limits the call.
  if (Result<Ledger> reader = Ledger::open_read_only(path_)) ledger_.emplace(std::move(*reader));
}

CallFigures CallAccount::figures(const link::CallFacts& facts, TimePoint now, std::int64_t due, std::int64_t moved) {
  CallFigures out;
  out.seen = wall_now();
  if (facts.started) {
    out.duration = now - *facts.started;
    if (!connected_) connected_ = out.seen - out.duration;
    out.connected = connected_;
    out.cost = link::cost_of(link_.tariff, out.duration);
  }
  out.number = facts.number;
  out.attempts = facts.attempts;
  if (facts.signal_dbm) out.signal = *facts.signal_dbm;
  out.bytes_in = facts.bytes_in;
  out.bytes_out = facts.bytes_out;
  out.due = due;
  out.moved = moved;
  return out;
}

void CallAccount::update(const link::CallFacts& facts, TimePoint now, std::int64_t due, std::int64_t moved) {
  if (!writable_) return;
  if (Result<void> written = ledger_->update(id_, figures(facts, now, due, moved)); !written) note(std::move(written).error());
}

std::optional<link::MustEnd> CallAccount::must_end(const link::CallFacts& facts, TimePoint now, bool urgent) {
  const WallTime wall = wall_now();
  link::Usage others;
  const config::Budget& budget = link_.budget;
  if (ledger_ && (budget.minutes_per_day || budget.minutes_per_month || budget.cost_per_month)) {
    Result<link::Usage> usage = ledger_->usage(link_.name, local_day(wall, clock_), local_month(wall, clock_), id_);
    if (usage) others = *usage;
    else note(std::move(usage).error());
  }
  const Duration connected = facts.started ? now - *facts.started : Duration(0);
  std::optional<link::CallLimit> limit = link::call_limit(link_, others, connected, urgent, wall, clock_);
  if (!limit) return std::nullopt;
  return link::MustEnd{now + (limit->at - wall), std::move(limit->why)};
}

void CallAccount::end(const link::CallFacts& facts, TimePoint now, const std::optional<Error>& error, std::optional<TimePoint> up_since,
                      std::int64_t due, std::int64_t moved) {
  if (ledger_) ledger_->be_patient(kOffTheLine);
  if (writable_) {
    Result<void> written = ledger_->finish(id_, figures(facts, now, due, moved), error);
    if (written && id_ % kPruneEvery == 0) written = ledger_->prune(wall_now());
    if (!written) note(std::move(written).error());
  }
  link::CallOutcome outcome{error, up_since.has_value(), up_since ? now - *up_since : Duration(0), up_since && due > 0 && moved == 0};
  if (outcome.nothing_moved && !outcome.error) {
    outcome.error = Error(Errc::messages_left, fmt::format("{} message{} due, none moved", due, due == 1 ? " was" : "s were"), Stage::transfer);
  }
  if (link_.backoff && ledger_) settle_backoff(outcome);
  ledger_.reset();
}

void CallAccount::settle_backoff(const link::CallOutcome& outcome) {
  const link::CallVerdict verdict = link::judge(outcome);
  if (verdict == link::CallVerdict::neutral) return;
  if (more_rounds_ && verdict == link::CallVerdict::failure && !outcome.was_up) return;
  const auto settle = [&]() -> Result<void> {
    if (verdict == link::CallVerdict::success) return ledger_->clear_backoff(link_.name);
    LONGLINE_TRY(const std::optional<link::BackoffState> before, ledger_->backoff(link_.name));
    const link::Moment now = moment_now();
    const link::BackoffState state = link::after_failure(*link_.backoff, before, verdict, *outcome.error, now, random_fraction());
    LONGLINE_CHECK(ledger_->set_backoff(link_.name, state));
    Event event = failure_event("link.unreachable", std::nullopt, link_.name, *outcome.error);
    event.more.set("failures", state.failures);
    if (!state.for_good) event.more.set("until", format_iso8601(std::chrono::ceil<std::chrono::seconds>(now.wall + state.wait)));
    events_.emit(event);
    return {};
  };
  if (Result<void> settled = settle(); !settled) note(std::move(settled).error());
}

}  // namespace longline::sys
