// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <utility>

#include "x400/session.hpp"

namespace longline::x400 {
namespace {

std::optional<SessionReason> reason_of(const Spdu& spdu) {
  if (!spdu.reason) return std::nullopt;
  return static_cast<SessionReason>(*spdu.reason);
}

}  // namespace

void Session::take(Spdu spdu) {
  if (state_ == State::aborting && spdu.kind != SpduKind::abort && spdu.kind != SpduKind::abort_accept) return;
  switch (spdu.kind) {
    case SpduKind::connect: return take_connect(spdu);
    case SpduKind::accept: return take_accept(spdu);
    case SpduKind::refuse: return take_refuse(spdu);
    case SpduKind::finish:
    case SpduKind::disconnect: return take_release(spdu);
    case SpduKind::abort: return take_abort(spdu);
    case SpduKind::abort_accept:
      if (state_ == State::aborting) return finish(std::move(*last_));
      return take_stop_answer(spdu, false);
    case SpduKind::give_tokens:
    case SpduKind::please_tokens: return take_tokens(spdu);
    case SpduKind::give_control:
    case SpduKind::give_control_ack: return take_control(spdu);
    case SpduKind::data: return take_data(spdu);
    case SpduKind::minor_sync:
    case SpduKind::minor_sync_ack: return take_sync(spdu);
    case SpduKind::activity_start:
    case SpduKind::activity_resume:
    case SpduKind::activity_end:
    case SpduKind::activity_end_ack: return take_activity(spdu);
    case SpduKind::activity_interrupt:
    case SpduKind::activity_discard: return take_stop(spdu);
    case SpduKind::activity_interrupt_ack: return take_stop_answer(spdu, false);
    case SpduKind::activity_discard_ack: return take_stop_answer(spdu, true);
    case SpduKind::exception_data:
    case SpduKind::exception_report: return take_exception(spdu);
  }
}

void Session::take_tokens(Spdu& spdu) {
  if (in({State::idle, State::connecting, State::awaiting_request, State::deciding})) return out_of_place(spdu);
  if (spdu.tokens == 0 && spdu.user_data.empty()) {
    // By itself it announces the SPDU of the next TSDU.
    behind_prefix_ = true;
    return;
  }
  if (spdu.kind == SpduKind::please_tokens) return take_turn_request(spdu);
  if (spdu.tokens != kAllTokens || state_ != State::open || turn_ || activity_) return out_of_place(spdu);
  just_ended_ = false;
  turn_ = true;
  actions_.push_back(TurnGiven{});
}

void Session::take_turn_request(Spdu& spdu) {
  // What crosses the turn, or the release, on its way has become void.
  if (spdu.tokens == 0 || !turn_ || !in({State::open, State::ending, State::stopping, State::excepted})) return;
  actions_.push_back(TurnAsked{std::move(spdu.user_data)});
}

void Session::take_control(const Spdu& spdu) {
  if (spdu.kind == SpduKind::give_control_ack) {
    if (state_ != State::giving) return out_of_place(spdu);
    state_ = State::open;
    return;
  }
  if (state_ != State::open || turn_ || activity_) return out_of_place(spdu);
  just_ended_ = false;
  Spdu answer;
  answer.kind = SpduKind::give_control_ack;
  (void)send(answer);
  turn_ = true;
  actions_.push_back(TurnGiven{});
}

void Session::take_data(Spdu& spdu) {
  if (state_ == State::excepting) return;
  if (state_ != State::open || !receiving()) return out_of_place(spdu);
  const bool begins = (spdu.enclosure & kBeginsSsdu) != 0;
  if (begins == in_ssdu_) return abort_by_provider(Error(Errc::protocol, "the peer's data comes in pieces that do not fit together"));
  if (spdu.user_data.size() > options_.longest_ssdu - ssdu_.size()) {
    return abort_by_provider(Error(Errc::protocol, fmt::format("the peer sends a unit of more than {} octets", options_.longest_ssdu)));
  }
  in_ssdu_ = (spdu.enclosure & kEndsSsdu) == 0;
  if (begins && !in_ssdu_) {
    actions_.push_back(DataArrived{std::move(spdu.user_data)});
    return;
  }
  ssdu_ += spdu.user_data;
  if (!in_ssdu_) actions_.push_back(DataArrived{std::exchange(ssdu_, {})});
}

void Session::take_sync(const Spdu& spdu) {
  const std::uint32_t serial = spdu.serial.value_or(0);
  if (spdu.kind == SpduKind::minor_sync) {
    if (state_ == State::excepting) return;
    if (state_ != State::open || !receiving() || in_ssdu_) return out_of_place(spdu);
    if (serial != next_serial_ || serial >= kLastSerial) {
      return abort_by_provider(Error(Errc::protocol, fmt::format("the peer sets checkpoint {} where {} is next", serial, next_serial_)));
    }
    ++next_serial_;
    actions_.push_back(MinorSyncArrived{serial, spdu.explicit_answer});
    return;
  }
  if (sending() && in({State::stopping, State::excepted})) return;
  if (!sending() || !in({State::open, State::ending})) return out_of_place(spdu);
  if (serial < unconfirmed_ || serial >= first_beyond()) {
    return abort_by_provider(Error(Errc::protocol, fmt::format("the peer confirms checkpoint {}, of which it knows nothing or has spoken before", serial)));
  }
  unconfirmed_ = serial + 1;
  actions_.push_back(MinorSyncConfirmed{serial});
}

void Session::take_activity(Spdu& spdu) {
  const std::uint32_t serial = spdu.serial.value_or(0);
  switch (spdu.kind) {
    case SpduKind::activity_start:
    case SpduKind::activity_resume:
      if (state_ != State::open || turn_ || activity_) return out_of_place(spdu);
      if (spdu.kind == SpduKind::activity_start) {
        begin_activity(1);
        actions_.push_back(ActivityStarted{std::move(spdu.activity)});
      } else {
        begin_activity(spdu.resumption.serial + 1);
        actions_.push_back(ActivityResumed{std::move(spdu.resumption)});
      }
      return;
    case SpduKind::activity_end:
      if (state_ == State::excepting) return;
      if (state_ != State::open || !receiving() || in_ssdu_) return out_of_place(spdu);
      if (serial != next_serial_) {
        return abort_by_provider(Error(Errc::protocol, fmt::format("the peer ends an activity at {} where {} is next", serial, next_serial_)));
      }
      ++next_serial_;
      state_ = State::end_indicated;
      actions_.push_back(ActivityEnding{serial});
      return;
    default: break;
  }
  if (sending() && in({State::stopping, State::excepted})) return;
  if (state_ != State::ending) return out_of_place(spdu);
  if (serial != next_serial_ - 1) {
    return abort_by_provider(Error(Errc::protocol, fmt::format("the peer confirms an end at {} where it is {}", serial, next_serial_ - 1)));
  }
  activity_ = false;
  state_ = State::open;
  actions_.push_back(ActivityEndConfirmed{serial});
}

void Session::take_stop(const Spdu& spdu) {
  if (turn_ || !(activity_ || just_ended_) || !in({State::open, State::end_indicated, State::excepting})) return out_of_place(spdu);
  discard_ = spdu.kind == SpduKind::activity_discard;
  if (!activity_) {
    // It has crossed our AEA, which the peer drops.
    just_ended_ = false;
    (void)answer_stop();
    return;
  }
  ssdu_.clear();
  in_ssdu_ = false;
  state_ = State::stop_indicated;
  actions_.push_back(ActivityStopping{discard_, reason_of(spdu)});
}

void Session::take_stop_answer(const Spdu& spdu, bool discard) {
  if (state_ != State::stopping || discard != discard_) return out_of_place(spdu);
  activity_ = false;
  state_ = State::open;
  actions_.push_back(ActivityStopConfirmed{discard});
}

void Session::take_exception(Spdu& spdu) {
  if (sending() && in({State::stopping, State::excepted})) return;
  if (!sending() || !in({State::open, State::ending})) return out_of_place(spdu);
  state_ = State::excepted;
  actions_.push_back(ExceptionReported{spdu.kind == SpduKind::exception_report, reason_of(spdu), std::move(spdu.user_data)});
}

}  // namespace longline::x400
