// SPDX-License-Identifier: MIT
#include "unit/x400/session_world.hpp"

#include <doctest/doctest.h>

#include "base/overloaded.hpp"
#include "unit/x400/octets.hpp"

namespace longline::x400::test {
namespace {

std::string with_reason(std::string what, std::optional<SessionReason> reason) {
  return reason ? what + " " + std::to_string(static_cast<int>(*reason)) : what;
}

std::string describe(const SessionFinished& f) {
  constexpr std::string_view kEnds[] = {"released", "refused", "user-abort", "peer-abort", "ours", "line"};
  std::string out = "finished " + std::string(kEnds[static_cast<std::size_t>(f.end)]);
  if (f.reason) out += " " + std::to_string(*f.reason);
  if (!f.user_data.empty()) out += " '" + f.user_data + "'";
  if (f.error) out += ": " + std::string(to_string(f.error->code)) + ": " + f.error->what;
  return out;
}

}  // namespace

TimePoint at(std::int64_t milliseconds) { return TimePoint(Duration(milliseconds)); }

SessionOptions calling() {
  SessionOptions out;
  out.transport.initiator = true;
  return out;
}

SessionOptions called() {
  SessionOptions out;
  out.transport.initiator = false;
  return out;
}

ConnectRequest request() {
  ConnectRequest out;
  out.references.user = octets("04 03 'sat'");
  out.references.common = octets("17 0d '261126041900Z'");
  out.user_data = "bind";
  return out;
}

std::string describe(const SessionAction& action) {
  return std::visit(Overloaded{
                        [](const Write&) { return std::string(); },
                        [](const SessionConnected& a) { return "connected '" + a.user_data + "'" + (a.turn ? ", turn" : ""); },
                        [](const DataArrived& a) { return "data " + a.bytes; },
                        [](const MinorSyncArrived& a) { return "point " + std::to_string(a.serial) + (a.wants_answer ? "" : ", no answer"); },
                        [](const MinorSyncConfirmed& a) { return "confirmed " + std::to_string(a.serial); },
                        [](const ActivityStarted& a) { return "started " + a.id; },
                        [](const ActivityResumed& a) { return "resumed " + a.from.old_id + " as " + a.from.id + " at " + std::to_string(a.from.serial); },
                        [](const ActivityEnding& a) { return "ending " + std::to_string(a.serial); },
                        [](const ActivityEndConfirmed& a) { return "ended " + std::to_string(a.serial); },
                        [](const ActivityStopping& a) { return with_reason(a.discard ? "discarding" : "interrupting", a.reason); },
                        [](const ActivityStopConfirmed& a) { return std::string(a.discard ? "discarded" : "interrupted"); },
                        [](const TurnAsked& a) { return "asked " + a.user_data; },
                        [](const TurnGiven&) { return std::string("turn"); },
                        [](const ExceptionReported& a) { return with_reason(a.by_provider ? "provider exception" : "exception", a.reason); },
                        [](const ReleaseAsked& a) { return "release '" + a.user_data + "'"; },
                        [](const SessionFinished& a) { return describe(a); },
                    },
                    action);
}

Side::Side(SessionOptions options, User user_) : session(options), user(std::move(user_)), initiator(options.transport.initiator) {}

void Side::start() {
  session.start(now);
  if (initiator) REQUIRE(session.connect(request()));
  drain();
}

void Side::hear(std::string_view bytes) {
  session.on_bytes(bytes, now);
  drain();
}

void Side::end() {
  session.on_closed(now);
  drain();
}

void Side::wait_until(TimePoint then) {
  now = then;
  session.on_time(now);
  drain();
}

void Side::drain() {
  while (const auto action = session.next_action()) {
    REQUIRE_FALSE(finished);
    if (const auto* write = std::get_if<Write>(&*action)) {
      written += write->bytes;
      pending += write->bytes;
      continue;
    }
    log.push_back(test::describe(*action));
    if (const auto* last = std::get_if<SessionFinished>(&*action)) {
      finished = *last;
      CHECK_FALSE(session.deadline());
    } else if (user) {
      user(*this, *action);
    }
  }
}

std::string Side::said(std::size_t from) const {
  std::string out;
  for (std::size_t i = from; i < log.size(); ++i) out += (i == from ? "" : " | ") + log[i];
  return out;
}

void Side::confirm_all(Side& side, const SessionAction& action) {
  Session& s = side.session;
  std::visit(Overloaded{
                 [&](const SessionConnected&) {
                   if (!side.initiator) REQUIRE(s.accept({octets("04 03 'mta'"), octets("17 0d '261126041900Z'"), ""}, "bound"));
                 },
                 [&](const MinorSyncArrived& a) { CHECK(s.confirm_minor(a.serial)); },
                 [&](const ActivityEnding&) { CHECK(s.confirm_end()); },
                 [&](const ActivityStopping&) { CHECK(s.confirm_stop()); },
                 [&](const ReleaseAsked&) { CHECK(s.confirm_release("bye too", side.now)); },
                 [](const auto&) {},
             },
             action);
}

void pump(Side& a, Side& b) {
  for (int i = 0; i < 10'000; ++i) {
    const std::string to_b = a.take();
    if (!to_b.empty()) b.hear(to_b);
    const std::string to_a = b.take();
    if (!to_a.empty()) a.hear(to_a);
    if (to_a.empty() && to_b.empty()) return;
  }
  FAIL("endless");
}

void send_one_activity(Side& side, const SessionAction& action) {
  Session& s = side.session;
  if (std::holds_alternative<SessionConnected>(action)) {
    REQUIRE(s.start_activity("A"));
    REQUIRE(s.send_data("one"));
    CHECK(s.minor_sync() == 1);
    REQUIRE(s.send_data("two"));
    CHECK(s.minor_sync() == 2);
    REQUIRE(s.send_data("three"));
    CHECK(s.end_activity() == 3);
  } else if (std::holds_alternative<ActivityEndConfirmed>(action)) {
    CHECK(s.give_turn());
    CHECK(s.ask_turn("please"));
  } else if (std::holds_alternative<TurnGiven>(action)) {
    CHECK(s.release("bye", side.now));
  } else {
    Side::confirm_all(side, action);
  }
}

void answer_one_activity(Side& side, const SessionAction& action) {
  Session& s = side.session;
  if (std::holds_alternative<TurnGiven>(action)) {
    REQUIRE(s.resume_activity({"C", "B", 4, "", "", "", ""}));
    REQUIRE(s.send_data("mail"));
    CHECK(s.minor_sync() == 5);
    CHECK(s.end_activity() == 6);
  } else if (std::holds_alternative<ActivityEndConfirmed>(action)) {
    CHECK(s.give_turn());
  } else {
    Side::confirm_all(side, action);
  }
}

}  // namespace longline::x400::test
