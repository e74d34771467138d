// SPDX-License-Identifier: MIT
#include "modem/hangup_machine.hpp"

#include "modem/result_code.hpp"

namespace longline::modem {
namespace {

constexpr Duration kDtrLowToHangUp{500};
constexpr Duration kSettleAtLast{150};
constexpr Duration kAnswerToHangUp{1'000};
constexpr Duration kGuardToHangUp{1'100};
constexpr Duration kLatestEscape{2'000};  // five seconds in all

}  // namespace

void HangUpMachine::start(TimePoint now) {
  if (step_ != Step::idle) return;
  started_ = now;
  if (state_ == ModemState::data) {
    actions_.emplace_back(SetDtr{false});
    step_ = Step::dtr_low;
    deadline_ = now + kDtrLowToHangUp;
    return;
  }
  if (state_ == ModemState::dialling) actions_.emplace_back(Write{"\r", false});
  step_ = Step::settle;
  deadline_ = now + kSettleAtLast;
}

void HangUpMachine::command(Step step, TimePoint now) {
  lines_.clear();
  actions_.emplace_back(Write{"ATH\r", false});
  step_ = step;
  deadline_ = now + kAnswerToHangUp;
}

void HangUpMachine::on_bytes(std::string_view bytes, TimePoint) {
  while (!bytes.empty() && step_ != Step::done && step_ != Step::idle) {
    const std::optional<std::string> line = lines_.next(bytes);
    if (!line) return;
    const std::optional<ResultCode> code = parse_result_code(*line);
    if (!code) continue;
    if (*code == ResultCode::no_carrier || *code == ResultCode::ok) saw_end_ = true;
    const bool answered = *code == ResultCode::ok || *code == ResultCode::error || *code == ResultCode::no_carrier;
    if (answered && (step_ == Step::on_hook || step_ == Step::hang_up)) finish(true);
  }
}

void HangUpMachine::on_closed(TimePoint) {
  if (step_ != Step::idle && step_ != Step::done) finish(false);
}

void HangUpMachine::on_time(TimePoint now) {
  if (!deadline_ || now < *deadline_) return;
  switch (step_) {
    case Step::dtr_low:
      actions_.emplace_back(SetDtr{true});
      step_ = Step::settle;
      deadline_ = now + kSettleAtLast;
      break;
    case Step::settle:
      if (state_ != ModemState::data || saw_end_) {
        command(Step::on_hook, now);
      } else {
        step_ = Step::guard_before;
        deadline_ = now + (kGuardToHangUp - kSettleAtLast);
      }
      break;
    case Step::guard_before:
      if (saw_end_ && !escaped_) {
        command(Step::on_hook, now);
        break;
      }
      escaped_ = true;
      actions_.emplace_back(Write{"+++", false});
      step_ = Step::guard_after;
      deadline_ = now + kGuardToHangUp;
      break;
    case Step::guard_after: command(Step::hang_up, now); break;
    case Step::on_hook:
      // It said that it was on hook, or should have been, and does not answer: it may be in data state after all.
      if (now - started_ > kLatestEscape) {
        finish(false);
        break;
      }
      escaped_ = true;
      step_ = Step::guard_before;
      deadline_ = now + kGuardToHangUp;
      break;
    case Step::hang_up: finish(false); break;
    case Step::idle:
    case Step::done: break;
  }
}

void HangUpMachine::finish(bool confirmed) {
  step_ = Step::done;
  deadline_.reset();
  actions_.emplace_back(HungUp{confirmed});
}

std::optional<HangUpAction> HangUpMachine::next_action() {
  return take_first(actions_);
}

}  // namespace longline::modem
