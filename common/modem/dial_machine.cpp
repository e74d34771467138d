// SPDX-License-Identifier: MIT
#include "modem/dial_machine.hpp"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

#include "base/text.hpp"
#include "modem/cme_error.hpp"
#include "modem/command_limit.hpp"

namespace longline::modem {
namespace {

constexpr Duration kLoudWait{1'000};
constexpr Duration kInitWait{10'000};
constexpr Duration kQuietReset{2'000};   // a modem that was quiet may be so again after ATZ
constexpr Duration kSettleAfterInit{250};         // some modems volunteer a second OK after ATZ

bool resets(std::string_view command) {
  return iequals(command.substr(0, 3), "ATZ") || iequals(command.substr(0, 4), "AT&F");
}

/// What the user reads when a call fails, by code.
std::string explain(Errc code, const std::string& number, const std::string& line) {
  switch (code) {
    case Errc::line_busy: return fmt::format("{}: the line is busy ({})", number, line);
    case Errc::no_answer: return fmt::format("{}: nobody answers ({})", number, line);
    case Errc::no_carrier: return fmt::format("{}: no modem was heard at the other end ({})", number, line);
    case Errc::no_dial_tone: return fmt::format("no dial tone ({})", line);
    case Errc::voice_answer: return fmt::format("{}: a person or a fax answered ({})", number, line);
    case Errc::call_refused: return fmt::format("{}: the modem refuses to dial this number for now ({})", number, line);
    default: return fmt::format("{}: the modem refused the dial command ({})", number, line);
  }
}

std::string hint_for(Errc code) {
  switch (code) {
    case Errc::no_dial_tone: return "check the telephone cable and the outlet";
    case Errc::voice_answer: return "check the number";
    case Errc::call_refused: return "approval rules make modems wait after failed calls; it will dial again later";
    case Errc::modem_error: return "check 'dial' and 'numbers' of the link";
    default: return "";
  }
}

}  // namespace

void DialMachine::start(TimePoint now) {
  if (step_ != Step::idle) return;
  step_ = Step::wake;
  wake_.emplace(WakeOptions{options_.gsm.has_value(), options_.reset_command});
  wake_->start(now);
  drain_wake(now);
}

void DialMachine::drain_wake(TimePoint now) {
  while (wake_) {
    std::optional<WakeAction> action = wake_->next_action();
    if (!action) return;
    if (auto* awake = std::get_if<Awake>(&*action)) {
      Awake end = std::move(*awake);
      wake_.reset();
      quiet_ = end.quiet;
      if (end.error) finish({std::move(end.error), "", ""});
      else enter_init(0, now);
      return;
    }
    std::visit(
        [&](auto&& a) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(a)>, Awake>) actions_.emplace_back(std::move(a));
        },
        *action);
  }
}

void DialMachine::send(std::string command) { actions_.emplace_back(Write{std::move(command), false}); }

void DialMachine::enter_init(std::size_t index, TimePoint now) {
  if (index >= options_.init.size()) {
    if (options_.gsm) enter_gsm(now);
    else enter_dial(now);
    return;
  }
  step_ = Step::init;
  init_index_ = index;
  lines_.clear();
  send(options_.init[index] + "\r");
  deadline_ = now + (quiet_ && resets(options_.init[index]) ? kQuietReset : kInitWait);
}

void DialMachine::enter_loud(std::size_t next_init, TimePoint now) {
  step_ = Step::loud;
  loud_next_ = next_init;
  lines_.clear();
  send("ATQ0V1E1\r");
  deadline_ = now + kLoudWait;
}

void DialMachine::enter_gsm(TimePoint now) {
  step_ = Step::gsm;
  deadline_.reset();
  gsm_.emplace(*options_.gsm);
  gsm_->start(now);
  drain_gsm(now);
}

void DialMachine::drain_gsm(TimePoint now) {
  while (gsm_) {
    std::optional<GsmAction> action = gsm_->next_action();
    if (!action) return;
    if (auto* write = std::get_if<Write>(&*action)) {
      actions_.emplace_back(std::move(*write));
      continue;
    }
    GsmReady ready = std::move(std::get<GsmReady>(*action));
    gsm_.reset();
    signal_dbm_ = ready.signal_dbm;
    if (ready.error) finish({std::move(ready.error), "", ""});
    else enter_dial(now);
  }
}

void DialMachine::settle(std::size_t next_init, TimePoint now) {
  step_ = Step::settle;
  after_settle_ = next_init;
  deadline_ = now + kSettleAfterInit;
}

void DialMachine::enter_dial(TimePoint now) {
  if (options_.prepare_only) {
    finish({});
    return;
  }
  step_ = Step::dial;
  lines_.clear();
  send(options_.dial + options_.number + "\r");
  deadline_ = now + options_.dial_timeout;
}

void DialMachine::on_bytes(std::string_view bytes, TimePoint now) {
  while (!bytes.empty() && step_ != Step::done && step_ != Step::idle) {
    if (step_ == Step::line_end) {
      leftover_ = behind_line_feed(bytes);
      finish({std::nullopt, connect_, leftover_});
      return;
    }
    if (step_ == Step::settle) return;
    if (wake_ || gsm_) {
      // A byte at a time: what follows the last that they want is for the next step.
      const std::string_view one = bytes.substr(0, 1);
      bytes.remove_prefix(1);
      if (wake_) {
        wake_->on_bytes(one, now);
        drain_wake(now);
      } else {
        gsm_->on_bytes(one, now);
        drain_gsm(now);
      }
      continue;
    }
    const std::optional<std::string> line = lines_.next(bytes);
    if (!line) return;
    on_line(*line, now);
    if (step_ == Step::line_end && lines_.ended_in_lf()) {
      leftover_ = std::string(bytes);
      finish({std::nullopt, connect_, leftover_});
      return;
    }
  }
}

void DialMachine::on_line(const std::string& line, TimePoint now) {
  const std::optional<ResultCode> code = parse_result_code(line);
  switch (step_) {
    case Step::loud:
      if (code != ResultCode::ok) break;
      quiet_ = true;
      enter_init(loud_next_, now);
      break;
    case Step::init:
      if (code == ResultCode::ok) {
        if (resets(options_.init[init_index_])) {
          settle(init_index_ + 1, now);
        } else {
          enter_init(init_index_ + 1, now);
        }
      } else if (code == ResultCode::error) {
        fail(Errc::modem_error, fmt::format("the modem refused init string {} '{}' ({})", init_index_ + 1,
                                            options_.init[init_index_], escape_at_most(line, 80)));
      }
      break;
    case Step::dial: on_dial_line(line, now); break;
    case Step::cause: on_cause_line(line); break;
    default: break;
  }
}

void DialMachine::on_dial_line(const std::string& line, TimePoint now) {
  const std::optional<ResultCode> code = parse_result_code(line);
  if (!code) return;
  if (*code == ResultCode::connect) {
    connect_ = escape_at_most(line, 120);
    step_ = Step::line_end;
    deadline_ = now + kLineEnd;
    return;
  }
  if (*code == ResultCode::ok) {
    call_failed(Errc::no_carrier, options_.number + ": the modem answered OK and did not connect", now);
  } else if (const std::optional<CmeError> why = parse_cme_error(line)) {
    call_failed(why->code, fmt::format("{}: the modem refused the dial command ({})", options_.number, why->meaning), now);
  } else if (const std::optional<Errc> failure = call_failure(*code)) {
    call_failed(*failure, explain(*failure, options_.number, escape_at_most(line, 80)), now);
  }
}

void DialMachine::call_failed(Errc code, std::string what, TimePoint now) {
  if (!options_.gsm) {
    fail(code, std::move(what));
    return;
  }
  failure_ = Error(code, std::move(what), Stage::dial).with_hint(hint_for(code));
  step_ = Step::cause;
  lines_.clear();
  send("AT+CEER\r");
  deadline_ = now + command_limit("AT+CEER");
}

void DialMachine::on_cause_line(const std::string& line) {
  constexpr std::string_view kName = "+CEER:";
  if (iequals(std::string_view(line).substr(0, kName.size()), kName)) {
    const std::string_view cause = trim(std::string_view(line).substr(kName.size()));
    if (!cause.empty() && !std::exchange(told_cause_, true)) failure_->what += "; the network's cause: " + escape_at_most(cause, 120);
    return;
  }
  const std::optional<ResultCode> code = parse_result_code(line);
  if (code == ResultCode::ok || code == ResultCode::error) finish({std::move(failure_), "", ""});
}

void DialMachine::on_closed(TimePoint now) {
  if (step_ == Step::done || step_ == Step::idle) return;
  if (wake_) {
    wake_->on_closed(now);
    drain_wake(now);
    return;
  }
  if (step_ == Step::line_end) {
    finish({std::nullopt, connect_, leftover_});
    return;
  }
  fail(Errc::no_device, "the port was closed at its other end");
}

void DialMachine::on_reopened(Reopened outcome, TimePoint now) {
  if (!wake_) return;
  wake_->on_reopened(std::move(outcome), now);
  drain_wake(now);
}

std::optional<TimePoint> DialMachine::deadline() const {
  return wake_ ? wake_->deadline() : gsm_ ? gsm_->deadline() : deadline_;
}

void DialMachine::on_time(TimePoint now) {
  if (wake_) {
    wake_->on_time(now);
    drain_wake(now);
    return;
  }
  if (gsm_) {
    gsm_->on_time(now);
    drain_gsm(now);
    return;
  }
  if (!deadline_ || now < *deadline_) return;
  switch (step_) {
    case Step::loud:
      fail(Errc::modem_silent, "the modem does not answer AT with OK any more");
      break;
    case Step::settle:
      actions_.emplace_back(DiscardInput{});
      enter_init(after_settle_, now);
      break;
    case Step::init:
      if (quiet_ && resets(options_.init[init_index_])) {
        enter_loud(init_index_ + 1, now);
        break;
      }
      fail(Errc::modem_silent, fmt::format("the modem did not answer init string {} '{}' within {}", init_index_ + 1,
                                           options_.init[init_index_], format_duration(kInitWait)));
      break;
    case Step::dial:
      fail(Errc::dial_timeout, fmt::format("{}: no connection within {}", options_.number, format_duration(options_.dial_timeout)));
      break;
    case Step::cause: finish({std::move(failure_), "", ""}); break;
    case Step::line_end: finish({std::nullopt, connect_, leftover_}); break;
    case Step::wake:
    case Step::gsm:
    case Step::idle:
    case Step::done: break;
  }
}

void DialMachine::fail(Errc code, std::string what) {
  const bool dialling = step_ == Step::dial;
  Error error(code, std::move(what), dialling ? Stage::dial : Stage::modem);
  error.hint = hint_for(code);
  if (code == Errc::modem_silent) error.hint = "check power, cable and 'speed'; is 'port' the modem's?";
  if (code == Errc::modem_error && !dialling) error.hint = "check 'init' of the link against the modem's manual";
  finish({std::move(error), "", ""});
}

void DialMachine::finish(Dialled end) {
  step_ = Step::done;
  deadline_.reset();
  wake_.reset();
  gsm_.reset();
  end.signal_dbm = signal_dbm_;
  actions_.emplace_back(std::move(end));
}

std::optional<DialAction> DialMachine::next_action() {
  return take_first(actions_);
}

}  // namespace longline::modem
