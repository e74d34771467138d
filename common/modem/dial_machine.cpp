// SPDX-License-Identifier: MIT
#include "modem/dial_machine.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace longline::modem {
namespace {

constexpr Duration kWakeWait{1'000};
constexpr int kWakeTries = 3;
constexpr Duration kDtrLow{1'000};
constexpr Duration kGuard{1'100};        // S12 is one second before and after
constexpr Duration kHangUpWait{2'000};
constexpr Duration kInitWait{10'000};
constexpr Duration kQuietReset{2'000};   // a modem that was quiet may be so again after ATZ
constexpr Duration kSettle{250};         // some modems volunteer a second OK after ATZ
constexpr Duration kLineEnd{50};         // for the LF behind the CR of CONNECT

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
  actions_.emplace_back(SetDtr{true});
  actions_.emplace_back(DiscardInput{});
  enter_wake(kWakeTries, now);
}

void DialMachine::send(std::string command) { actions_.emplace_back(Write{std::move(command), false}); }

void DialMachine::enter_wake(int tries, TimePoint now) {
  step_ = Step::wake;
  wake_tries_ = tries;
  lines_.clear();
  send("AT\r");
  deadline_ = now + kWakeWait;
}

void DialMachine::enter_init(std::size_t index, TimePoint now) {
  if (index >= options_.init.size()) {
    enter_dial(now);
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
  deadline_ = now + kWakeWait;
}

void DialMachine::settle(std::size_t next_init, TimePoint now) {
  step_ = Step::settle;
  after_settle_ = next_init;
  deadline_ = now + kSettle;
}

void DialMachine::enter_dial(TimePoint now) {
  step_ = Step::dial;
  lines_.clear();
  send(options_.dial + options_.number + "\r");
  deadline_ = now + options_.dial_timeout;
}

void DialMachine::on_bytes(std::string_view bytes, TimePoint now) {
  if (!bytes.empty()) heard_ = true;
  while (!bytes.empty() && step_ != Step::done && step_ != Step::idle) {
    if (step_ == Step::line_end) {
      if (bytes.front() == '\n' && leftover_.empty()) bytes.remove_prefix(1);
      leftover_ += bytes;
      finish({std::nullopt, connect_, leftover_});
      return;
    }
    if (step_ == Step::settle || step_ == Step::dtr_low || step_ == Step::guard_before) return;
    const std::string_view before = bytes;
    const std::optional<std::string> line = lines_.next(bytes);
    if (!line) return;
    const char end = before[before.size() - bytes.size() - 1];
    on_line(*line, now);
    // A line that ended in LF has its CR behind it.
    if (step_ == Step::line_end && end == '\n') {
      leftover_ = std::string(bytes);
      finish({std::nullopt, connect_, leftover_});
      return;
    }
  }
}

void DialMachine::on_line(const std::string& line, TimePoint now) {
  const std::optional<ResultCode> code = parse_result_code(line);
  switch (step_) {
    case Step::wake:
      if (code != ResultCode::ok) break;
      if (wake_tries_ == kWakeTries) {
        enter_init(0, now);
      } else {
        // More than one AT may be answered yet: a late OK would be taken for that of the next command.
        settle(0, now);
      }
      break;
    case Step::loud:
      if (code != ResultCode::ok) break;
      quiet_ = true;
      enter_init(loud_next_, now);
      break;
    case Step::guard_after:
    case Step::hang_up:
      if (code == ResultCode::ok && step_ == Step::hang_up) enter_wake(1, now);
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
    fail(Errc::no_carrier, options_.number + ": the modem answered OK and did not connect");
  } else if (const std::optional<Errc> failure = call_failure(*code)) {
    fail(*failure, explain(*failure, options_.number, escape_at_most(line, 80)));
  }
}

void DialMachine::on_closed(TimePoint) {
  if (step_ == Step::done || step_ == Step::idle) return;
  if (step_ == Step::line_end) {
    finish({std::nullopt, connect_, leftover_});
    return;
  }
  fail(Errc::no_device, "the port was closed at its other end");
}

void DialMachine::on_time(TimePoint now) {
  if (!deadline_ || now < *deadline_) return;
  switch (step_) {
    case Step::wake:
      if (wake_tries_ > 1) {
        enter_wake(wake_tries_ - 1, now);
      } else if (++rung_ == 1) {
        actions_.emplace_back(SetDtr{false});
        step_ = Step::dtr_low;
        deadline_ = now + kDtrLow;
      } else if (rung_ == 2) {
        step_ = Step::guard_before;
        deadline_ = now + kGuard;
      } else {
        enter_loud(0, now);
      }
      break;
    case Step::dtr_low:
      actions_.emplace_back(SetDtr{true});
      actions_.emplace_back(DiscardInput{});
      enter_wake(1, now);
      break;
    case Step::guard_before:
      send("+++");
      step_ = Step::guard_after;
      deadline_ = now + kGuard;
      break;
    case Step::guard_after:
      step_ = Step::hang_up;
      lines_.clear();
      send("ATH\r");
      deadline_ = now + kHangUpWait;
      break;
    case Step::hang_up: enter_wake(1, now); break;
    case Step::loud:
      fail(Errc::modem_silent, heard_ ? "the modem sends, but does not answer AT with OK" : "the modem does not answer AT");
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
    case Step::line_end: finish({std::nullopt, connect_, leftover_}); break;
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
  actions_.emplace_back(std::move(end));
}

std::optional<DialAction> DialMachine::next_action() {
  if (actions_.empty()) return std::nullopt;
  DialAction action = std::move(actions_.front());
  actions_.pop_front();
  return action;
}

}  // namespace longline::modem
