// SPDX-License-Identifier: MIT
#include "link/call_policy.hpp"

#include <doctest/doctest.h>

#include "link/call_history.hpp"
#include "unit/zone.hpp"

using namespace longline;
using namespace longline::link;

namespace {

constexpr Duration kMinuteOfPolicy{60'000};

config::Link office_link() {
  config::Link link;
  link.name = "isp";
  link.hours = {*config::parse_hours("Mo-Fr 06:00-22:00")};
  link.backoff = *config::parse_backoff("10m..6h");
  return link;
}

CallQuestion at(const char* when) {
  CallQuestion question;
  question.now = {utc(when), Duration(1'000'000), "boot"};
  return question;
}

BackoffState failed(const Moment& now, Duration ago, CallVerdict verdict = CallVerdict::failure) {
  Moment then = now;
  then.wall -= ago;
  then.since_boot -= ago;
  return after_failure({10 * kMinuteOfPolicy, 360 * kMinuteOfPolicy}, std::nullopt, verdict, Error(Errc::line_busy, "busy", Stage::dial), then, 0);
}

std::string shown(std::optional<WallTime> t) { return t ? format_iso8601(*t) : "never"; }

}  // namespace

TEST_CASE("policy: nothing configured, nothing refused") {
  const Standing standing = judge_call({}, at("2026-11-28T03:00:00Z"), kUtc);
  CHECK_FALSE(standing.refusal);
  CHECK(standing.reason == Standing::Reason::none);
  CHECK(to_string(standing.reason).empty());
  CHECK(shown(standing.next) == "2026-11-28T03:00:00Z");
}

TEST_CASE("policy: outside hours says when, and urgent calls break them where the entry allows it") {
  config::Link link = office_link();
  CallQuestion question = at("2026-11-28T03:00:00Z");   // a Saturday
  Standing standing = judge_call(link, question, kBerlin);
  REQUIRE(standing.refusal);
  CHECK(standing.refusal->code == Errc::outside_hours);
  CHECK(standing.refusal->stage == Stage::policy);
  CHECK(standing.refusal->what == "outside the hours (Mo-Fr 06:00-22:00); the next call is allowed on Mon 2026-11-30 06:00");
  CHECK(standing.refusal->hint == "allowed from 2026-11-30T05:00:00Z on");
  CHECK(to_string(standing.reason) == "dial-out-hours");
  CHECK_FALSE(standing.unreachable);
  question.urgent = true;
  CHECK(judge_call(link, question, kBerlin).refusal);
  link.urgent_any_hour = true;
  CHECK_FALSE(judge_call(link, question, kBerlin).refusal);
  question.urgent = false;
  CHECK(judge_call(link, question, kBerlin).refusal->hint == "allowed from 2026-11-30T05:00:00Z on, or at once with --grade urgent");
}

TEST_CASE("policy: a spent budget says when, hours considered") {
  config::Link link = office_link();
  link.budget.calls_per_day = 2;
  CallQuestion question = at("2026-11-27T12:00:00Z");   // a Friday
  question.usage.calls_today = 1;
  CHECK_FALSE(judge_call(link, question, kUtc).refusal);
  question.usage.calls_today = 2;
  Standing standing = judge_call(link, question, kUtc);
  REQUIRE(standing.refusal);
  CHECK(standing.refusal->code == Errc::over_budget);
  CHECK(standing.refusal->what == "the budget is spent (2 of 2 calls-per-day); the next call is allowed on Mon 2026-11-30 06:00");
  CHECK(to_string(standing.reason) == "budget");
  question.urgent = true;
  link.urgent_any_hour = true;
  CHECK(shown(judge_call(link, question, kUtc).next) == "2026-11-28T00:00:00Z");   // money is no matter of hours
  link.budget = {};
  link.budget.minutes_per_month = 60;
  question.usage.month = 60 * kMinuteOfPolicy;
  CHECK(shown(judge_call(link, question, kUtc).next) == "2026-12-01T00:00:00Z");
  link.budget.minutes_per_month = 0;
  standing = judge_call(link, question, kUtc);
  CHECK(shown(standing.next) == "never");
  CHECK(standing.refusal->what == "the budget is spent (60 of 0 minutes-per-month); no call is allowed");
}

TEST_CASE("policy: a link that is backing off is unreachable, and --now is named") {
  const config::Link link = office_link();
  CallQuestion question = at("2026-11-27T12:00:00Z");
  question.backoff = failed(question.now, 4 * kMinuteOfPolicy);
  Standing standing = judge_call(link, question, kUtc);
  REQUIRE(standing.refusal);
  CHECK(standing.refusal->code == Errc::unreachable);
  CHECK(exit_status(standing.refusal->code) == ExitStatus::temporary);
  CHECK(standing.refusal->what == "unreachable until Fri 2026-11-27 12:06, after 1 failed call: busy");
  CHECK(standing.refusal->hint == "allowed from 2026-11-27T12:06:00Z on; --now calls at once");
  CHECK(standing.unreachable);
  CHECK(shown(standing.unreachable_until) == "2026-11-27T12:06:00Z");
  CHECK(to_string(standing.reason) == "connection-failure");
  question.backoff = failed(question.now, 10 * kMinuteOfPolicy);
  CHECK_FALSE(judge_call(link, question, kUtc).refusal);
  CHECK_FALSE(judge_call(link, question, kUtc).unreachable);
  // A wait that ends outside the hours ends when they begin.
  question = at("2026-11-27T21:55:00Z");
  question.backoff = failed(question.now, Duration(0));
  CHECK(shown(judge_call(link, question, kUtc).next) == "2026-11-30T06:00:00Z");
  // Hours go first; the state is unreachable all the same.
  question = at("2026-11-27T22:01:00Z");
  question.backoff = failed(question.now, Duration(0));
  standing = judge_call(link, question, kUtc);
  CHECK(standing.refusal->code == Errc::outside_hours);
  CHECK(standing.unreachable);
  // What was written down before `backoff` was taken out of the entry holds no more.
  config::Link without = link;
  without.hours.clear();
  without.backoff.reset();
  CHECK_FALSE(judge_call(without, question, kUtc).refusal);
}

TEST_CASE("policy: a refused PIN waits for a person") {
  const config::Link link = office_link();
  CallQuestion question = at("2026-11-27T12:00:00Z");
  question.backoff = failed(question.now, 1'000'000 * kMinuteOfPolicy, CallVerdict::for_good);
  const Standing standing = judge_call(link, question, kUtc);
  REQUIRE(standing.refusal);
  CHECK(standing.refusal->code == Errc::sim_pin_refused);
  CHECK(standing.unreachable);
  CHECK_FALSE(standing.unreachable_until);
  CHECK_FALSE(standing.next);
}

TEST_CASE("policy: a call that is under way ends with the hours, or with the budget") {
  config::Link link = office_link();
  const WallTime now = utc("2026-11-27T21:50:00Z");
  std::optional<CallLimit> limit = call_limit(link, {}, Duration(0), false, now, kUtc);
  REQUIRE(limit);
  CHECK(shown(limit->at) == "2026-11-27T22:00:00Z");
  CHECK(limit->why.code == Errc::call_limit);
  CHECK(limit->why.stage == Stage::policy);
  CHECK(shown(call_limit(link, {}, Duration(0), false, utc("2026-11-27T22:10:00Z"), kUtc)->at) == "2026-11-27T22:10:00Z");
  link.budget.minutes_per_day = 5;
  limit = call_limit(link, {1, 2 * kMinuteOfPolicy}, kMinuteOfPolicy, false, now, kUtc);
  CHECK(shown(limit->at) == "2026-11-27T21:52:00Z");
  CHECK(limit->why.what == "the budget of the link is spent: hung up (budget)");
  CHECK(shown(call_limit(link, {1, 9 * kMinuteOfPolicy}, kMinuteOfPolicy, false, now, kUtc)->at) == "2026-11-27T21:50:00Z");
  link.urgent_any_hour = true;
  link.budget = {};
  CHECK_FALSE(call_limit(link, {}, Duration(0), true, now, kUtc));
  CHECK_FALSE(call_limit({}, {}, Duration(0), false, now, kUtc));
}

TEST_CASE("history: a call that moved nothing of what was due did not end well") {
  CHECK(judge_end({}, 0, 0).code.empty());
  CHECK(judge_end({}, 3, 1).code.empty());
  CHECK(judge_end({}, 3, 1).cause.empty());
  CHECK(judge_end({}, 3, 0).code == "nothing-moved");
  CHECK(judge_end({}, 3, 0).stage == "transfer");
  CHECK(judge_end({}, 3, 0).cause == "3 messages were due, none moved");
  CHECK(judge_end({}, 1, 0).cause == "1 message was due, none moved");
  const CallEnd dropped = judge_end({"line-dropped", "transfer", "NO CARRIER"}, 3, 0);
  CHECK(dropped.code == "line-dropped");
  CHECK(dropped.cause == "NO CARRIER");
  CHECK(sum_by_cause({{utc("2026-11-24T23:30:00Z"), true, kMinuteOfPolicy, 100, 0, judge_end({}, 3, 0).code}}).size() == 1);
}

TEST_CASE("history: sums by local day and by cause, and their bars") {
  std::vector<PastCall> calls;
  calls.push_back({utc("2026-11-24T23:30:00Z"), true, 10 * kMinuteOfPolicy, 1'000'000, to_money(0.6), ""});   // the 25th in Berlin
  calls.push_back({utc("2026-11-25T10:00:00Z"), true, 5 * kMinuteOfPolicy, 500'000, to_money(0.35), "idle-timeout", 828});
  calls.push_back({utc("2026-11-25T11:00:00Z"), false, Duration(0), 0, 0, "line-busy", 676});
  calls.push_back({utc("2026-11-25T11:05:00Z"), false, Duration(0), 0, 0, "line-busy", 676});
  calls.push_back({utc("2026-11-26T11:05:00Z"), true, 3 * kMinuteOfPolicy, 100, to_money(0.25), "line-dropped", 628});
  const std::vector<DaySum> days = sum_by_day(calls, kBerlin);
  REQUIRE(days.size() == 2);
  CHECK(days[0].day == "2026-11-25");
  CHECK(days[0].calls == 2);
  CHECK(days[0].failed == 2);
  CHECK(days[0].duration == 15 * kMinuteOfPolicy);
  CHECK(days[0].cost == to_money(0.95));
  const std::vector<CauseSum> causes = sum_by_cause(calls);
  REQUIRE(causes.size() == 2);
  CHECK(causes[0].code == "line-busy");
  CHECK(causes[0].count == 2);
  CHECK(draw_days(days) ==
        "day        calls failed   minutes                bytes                 cost\n"
        "2026-11-25     2      2      15.0 ##########    1.5 MB ##########      0.95 ##########\n"
        "2026-11-26     1      1       3.0 ##             100 B #               0.25 ###\n");
  CHECK(draw_causes(causes) ==
        "failures by cause\n"
        "  line-busy (676)               2 ##########\n"
        "  line-dropped (628)            1 #####\n");
  CHECK(draw_days({}).empty());
}
