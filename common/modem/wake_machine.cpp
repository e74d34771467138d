// SPDX-License-Identifier: MIT
#include "modem/wake_machine.hpp"

#include <array>
#include <utility>

#include "modem/command_limit.hpp"
#include "modem/lcp_frame.hpp"
#include "modem/result_code.hpp"

namespace longline::modem {
namespace {

constexpr Duration kAnswerToWake{1'000};
constexpr int kTries = 3;
constexpr int kTriesAfterRestart = 20;
constexpr int kTriesAfterReset = 30;
constexpr Duration kDtrLowToWake{1'000};
constexpr Duration kGuardAroundEscape{1'100};         // S12 is one second before and after
constexpr Duration kHangUp{2'000};        // for ATH of a modem that has heard +++
constexpr Duration kTerminate{1'000};     // for the peer, or the modem, to end PPP
constexpr Duration kSettleAwake{250};          // more than one AT may be answered yet
constexpr Duration kReopen{100'000};      // 60 s for the command, 30 s for the port, and some: the shell has its own limits
constexpr int kMostReopens = 2;

constexpr std::array<std::string_view, 8> kRungs = {"", "dtr", "escape", "atq0", "lcp", "cfun", "reset-command", ""};

}  // namespace

Event to_event(const Recovery& recovery) {
  Event event{"modem.recovery"};
  event.text = recovery.note;
  event.more.set("rung", recovery.rung).set("helped", recovery.helped);
  return event;
}

void WakeMachine::start(TimePoint now) {
  if (step_ != Step::idle) return;
  actions_.emplace_back(SetDtr{true});
  actions_.emplace_back(DiscardInput{});
  ask(kTries, now);
}

void WakeMachine::ask(int tries, TimePoint now) {
  step_ = Step::ask;
  tries_ = tries;
  lines_.clear();
  actions_.emplace_back(Write{"AT\r", false});
  deadline_ = now + kAnswerToWake;
}

void WakeMachine::ask_again(TimePoint now) {
  first_ = false;
  if (tries_ > 1) ask(tries_ - 1, now);
  else next_rung(now);
}

void WakeMachine::next_rung(TimePoint now) {
  if (rung_ != Rung::none) actions_.emplace_back(Recovery{std::string(kRungs[static_cast<std::size_t>(rung_)]), false, std::exchange(note_, {})});
  rung_ = static_cast<Rung>(static_cast<int>(rung_) + 1);
  if (rung_ == Rung::cfun && !options_.cellular) rung_ = Rung::command;
  if (rung_ == Rung::command && !options_.reset_command) rung_ = Rung::end;
  climb(now);
}

void WakeMachine::climb(TimePoint now) {
  switch (rung_) {
    case Rung::none: break;
    case Rung::dtr:
      actions_.emplace_back(SetDtr{false});
      step_ = Step::dtr_low;
      deadline_ = now + kDtrLowToWake;
      break;
    case Rung::escape:
      step_ = Step::guard_before;
      deadline_ = now + kGuardAroundEscape;
      break;
    case Rung::loud:
      lines_.clear();
      actions_.emplace_back(Write{"ATQ0V1E1\r", false});
      step_ = Step::loud;
      deadline_ = now + kAnswerToWake;
      break;
    case Rung::lcp:
      actions_.emplace_back(Write{lcp_terminate_request(1), false});
      step_ = Step::lcp;
      deadline_ = now + kTerminate;
      break;
    case Rung::cfun:
      lines_.clear();
      actions_.emplace_back(Write{"AT+CFUN=1,1\r", false});
      step_ = Step::restart;
      deadline_ = now + command_limit("AT+CFUN=1,1");
      break;
    case Rung::command: reopen(true, now); break;
    case Rung::end:
      finish(Error(Errc::modem_silent, heard_ ? "the modem sends, but does not answer AT with OK" : "the modem does not answer AT",
                   Stage::modem));
      break;
  }
}

void WakeMachine::reopen(bool command, TimePoint now) {
  actions_.emplace_back(ReopenPort{command});
  step_ = Step::reopening;
  deadline_ = now + kReopen;
}

void WakeMachine::on_bytes(std::string_view bytes, TimePoint now) {
  if (!bytes.empty()) heard_ = true;
  while (!bytes.empty()) {
    // What comes now is no answer to a command.
    const bool listens = step_ == Step::ask || step_ == Step::guard_after || step_ == Step::hang_up || step_ == Step::loud || step_ == Step::restart;
    if (!listens) return;
    const std::optional<std::string> line = lines_.next(bytes);
    if (!line) return;
    if (parse_result_code(*line) != ResultCode::ok) continue;
    switch (step_) {
      case Step::ask: answered(now); break;
      case Step::guard_after: escaped_ = true; break;
      case Step::hang_up: ask(1, now); break;
      case Step::loud:
        quiet_ = true;
        answered(now);
        break;
      case Step::restart: ask(kTriesAfterRestart, now); break;
      default: break;
    }
  }
}

void WakeMachine::answered(TimePoint now) {
  if (rung_ != Rung::none) actions_.emplace_back(Recovery{std::string(kRungs[static_cast<std::size_t>(rung_)]), true, std::exchange(note_, {})});
  if (first_ || quiet_) {
    finish(std::nullopt);
    return;
  }
  // A late OK would be taken for that of the next command.
  step_ = Step::settle;
  deadline_ = now + kSettleAwake;
}

void WakeMachine::on_closed(TimePoint now) {
  if (step_ == Step::idle || step_ == Step::done || step_ == Step::reopening) return;
  if (rung_ >= Rung::cfun && reopens_ < kMostReopens) {
    ++reopens_;
    reopen(false, now);
    return;
  }
  finish(Error(Errc::no_device, "the port was closed at its other end", Stage::modem));
}

void WakeMachine::on_reopened(Reopened outcome, TimePoint now) {
  if (step_ != Step::reopening) return;
  if (!outcome.note.empty()) note_ = std::move(outcome.note);
  if (!outcome.error) {
    actions_.emplace_back(SetDtr{true});
    actions_.emplace_back(DiscardInput{});
    ask(kTriesAfterReset, now);
    return;
  }
  if (rung_ == Rung::cfun && options_.reset_command) {
    note_ = outcome.error->message();
    next_rung(now);
    return;
  }
  actions_.emplace_back(Recovery{std::string(kRungs[static_cast<std::size_t>(rung_)]), false, std::exchange(note_, {})});
  finish(std::move(outcome.error));
}

void WakeMachine::on_time(TimePoint now) {
  if (!deadline_ || now < *deadline_) return;
  switch (step_) {
    case Step::ask: ask_again(now); break;
    case Step::dtr_low:
      actions_.emplace_back(SetDtr{true});
      actions_.emplace_back(DiscardInput{});
      ask(1, now);
      break;
    case Step::guard_before:
      lines_.clear();
      actions_.emplace_back(Write{"+++", false});
      step_ = Step::guard_after;
      deadline_ = now + kGuardAroundEscape;
      break;
    case Step::guard_after:
      lines_.clear();
      actions_.emplace_back(Write{"ATH\r", false});
      step_ = Step::hang_up;
      deadline_ = now + (escaped_ ? kHangUp : kAnswerToWake);
      break;
    case Step::hang_up:
      if (escaped_) ask(1, now);
      else next_rung(now);
      break;
    case Step::loud: next_rung(now); break;
    case Step::lcp:
      actions_.emplace_back(DiscardInput{});
      ask(1, now);
      break;
    case Step::restart: ask(kTriesAfterRestart, now); break;
    case Step::reopening: on_reopened({Error(Errc::no_device, "the port was not opened again", Stage::port)}, now); break;
    case Step::settle:
      actions_.emplace_back(DiscardInput{});
      finish(std::nullopt);
      break;
    case Step::idle:
    case Step::done: break;
  }
}

void WakeMachine::finish(std::optional<Error> error) {
  step_ = Step::done;
  deadline_.reset();
  if (error && error->code == Errc::modem_silent) error->hint = "check power, cable and 'speed'; is 'port' the modem's?";
  actions_.emplace_back(Awake{std::move(error), quiet_});
}

std::optional<WakeAction> WakeMachine::next_action() {
  return take_first(actions_);
}

}  // namespace longline::modem
