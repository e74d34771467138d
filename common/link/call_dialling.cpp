// SPDX-License-Identifier: MIT
// The part of a call before its connection: the attempts.
#include <type_traits>
#include <utility>

#include "link/call_machine.hpp"
#include "link/dial_options.hpp"

namespace longline::link {

void CallMachine::dial(const NumberChoice::Next& next, TimePoint now) {
  facts_.number = next.number;
  ++facts_.attempts;
  modem::DialOptions dial_options = dial_options_of(options_.link, next.number);
  if (dial_options.gsm) dial_options.gsm->pin = options_.sim_pin;
  // A modem that has just answered needs no second initialisation only if nothing was said in between; it is cheap.
  dial_.emplace(std::move(dial_options));
  dial_->start(now);
  drain_dial(now);
}

void CallMachine::drain_dial(TimePoint now) {
  std::optional<modem::Dialled> end;
  while (dial_) {
    std::optional<modem::DialAction> action = dial_->next_action();
    if (!action) break;
    if (auto* finished = std::get_if<modem::Dialled>(&*action)) {
      end = std::move(*finished);
      dial_.reset();
      break;
    }
    if (const auto* recovery = std::get_if<modem::Recovery>(&*action)) {
      Event event = modem::to_event(*recovery);
      event.link = options_.link.name;
      actions_.emplace_back(Happened{std::move(event)});
      continue;
    }
    reopening_ = reopening_ || std::holds_alternative<modem::ReopenPort>(*action);
    std::visit(
        [&](auto&& a) {
          if constexpr (std::is_constructible_v<CallAction, decltype(a)>) actions_.emplace_back(std::move(a));
        },
        *action);
  }
  if (!end) return;
  facts_.signal_dbm = end->signal_dbm;
  if (end->error) {
    attempt_failed(std::move(*end->error), now);
    return;
  }
  facts_.connect = end->connect;
  connected(std::move(end->leftover), now);
}

void CallMachine::attempt_failed(Error error, TimePoint now) {
  Event event = failure_event("call.failed", kDialUpFailed, options_.link.name, error);
  event.more.set("number", facts_.number).set("attempt", facts_.attempts);
  if (facts_.signal_dbm) event.more.set("signal_dbm", *facts_.signal_dbm);
  actions_.emplace_back(Happened{std::move(event)});
  if (error.code == Errc::dial_timeout) {
    after_hangup_ = std::move(error);
    hangup_.emplace(modem::ModemState::dialling);
    hangup_->start(now);
    drain_hangup(now);
    return;
  }
  waiting_ = numbers_.next(error.code);
  if (!waiting_) {
    const bool modem_speaks = error.code != Errc::modem_silent && error.code != Errc::no_device;
    if (modem_speaks) {
      close(std::move(error), modem::ModemState::on_hook, now);
    } else {
      end_ = std::move(error);
      finish();
    }
    return;
  }
  wait_until_ = now + waiting_->after;
  on_time(now);
}

void CallMachine::on_reopened(modem::Reopened outcome, TimePoint now) {
  if (!reopening_ || !dial_) return;
  reopening_ = false;
  dial_->on_reopened(std::move(outcome), now);
  drain_dial(now);
}

}  // namespace longline::link
