// SPDX-License-Identifier: MIT
#include "modem/answer_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "modem/result_code.hpp"

namespace longline::modem {
namespace {

constexpr Duration kRingGap{9'000};          // between two rings: 6 s in America, 5 s in Europe, of which one may be missed by nobody
constexpr Duration kCheckWait{5'000};
constexpr Duration kFirstPause{15'000};
constexpr Duration kLongestPause{600'000};

}  // namespace

void AnswerMachine::start(TimePoint now) {
  lines_.clear();
  leftover_.clear();
  connect_.clear();
  rings_ = 0;
  if (!options_.has_modem) {
    actions_.emplace_back(SetDtr{true});
    wait_for_ring(now);
    actions_.emplace_back(ModemReady{});
    return;
  }
  step_ = Step::preparing;
  deadline_.reset();
  DialOptions preparation;
  preparation.init = options_.init;
  preparation.init.emplace_back("ATS0=0");
  preparation.prepare_only = true;
  preparation_.emplace(std::move(preparation));
  preparation_->start(now);
  drain_preparation(now);
}

void AnswerMachine::drain_preparation(TimePoint now) {
  while (preparation_) {
    std::optional<DialAction> action = preparation_->next_action();
    if (!action) return;
    if (auto* end = std::get_if<Dialled>(&*action)) {
      std::optional<Error> error = std::move(end->error);
      preparation_.reset();
      if (error) {
        trouble(std::move(*error), now);
        return;
      }
      troubles_ = 0;
      wait_for_ring(now);
      actions_.emplace_back(ModemReady{});
      return;
    }
    if (std::holds_alternative<ReopenPort>(*action)) {
      // Nothing that we let it do restarts the modem.
      preparation_->on_reopened({Error(Errc::no_device, "the port went away", Stage::port), ""}, now);
      continue;
    }
    std::visit(
        [&](auto&& a) {
          using Action = std::decay_t<decltype(a)>;
          if constexpr (!std::is_same_v<Action, Dialled> && !std::is_same_v<Action, ReopenPort>) actions_.emplace_back(std::move(a));
        },
        *action);
  }
}

void AnswerMachine::wait_for_ring(TimePoint now) {
  step_ = Step::waiting;
  rings_ = 0;
  lines_.clear();
  deadline_.reset();
  if (options_.has_modem) deadline_ = now + options_.check_every;
}

void AnswerMachine::trouble(Error error, TimePoint now) {
  preparation_.reset();
  lines_.clear();
  rings_ = 0;
  const Duration again = std::min(kFirstPause * (1 << std::min(troubles_, 6)), kLongestPause);
  ++troubles_;
  step_ = Step::paused;
  deadline_ = now + again;
  actions_.emplace_back(ModemTrouble{std::move(error), again});
}

void AnswerMachine::on_trouble(Error error, TimePoint now) {
  if (step_ != Step::done) trouble(std::move(error), now);
}

void AnswerMachine::stand_aside() {
  preparation_.reset();
  deadline_.reset();
  actions_.clear();
  step_ = Step::fresh;
}

void AnswerMachine::on_closed(TimePoint now) {
  if (step_ == Step::line_end) {
    answered();
    return;
  }
  if (step_ == Step::fresh || step_ == Step::paused || step_ == Step::done) return;
  trouble(Error(Errc::no_device, "the port was closed at its other end", Stage::modem), now);
}

void AnswerMachine::on_bytes(std::string_view bytes, TimePoint now) {
  while (!bytes.empty()) {
    switch (step_) {
      case Step::fresh:
      case Step::paused:
      case Step::done: return;
      case Step::preparing:
        preparation_->on_bytes(bytes, now);
        drain_preparation(now);
        return;
      case Step::line_end:
        leftover_ = behind_line_feed(bytes);
        answered();
        return;
      default: break;
    }
    if (!options_.has_modem) {
      leftover_ = std::string(bytes);
      answered();
      return;
    }
    const std::optional<std::string> line = lines_.next(bytes);
    if (!line) return;
    on_line(*line, now);
    if (step_ == Step::line_end && lines_.ended_in_lf()) {
      leftover_ = std::string(bytes);
      answered();
      return;
    }
  }
}

void AnswerMachine::on_line(const std::string& line, TimePoint now) {
  const std::optional<ResultCode> code = parse_result_code(line);
  if (!code) return;
  if (step_ == Step::answering) {
    if (*code == ResultCode::connect) {
      connect_ = escape_at_most(line, 120);
      step_ = Step::line_end;
      deadline_ = now + kLineEnd;
    } else if (call_failure(*code)) {
      const bool error = *code == ResultCode::error;
      missed(error ? Errc::modem_error : Errc::no_carrier, fmt::format("a call was answered, and no connection came of it ({})", escape_at_most(line, 80)),
             now);
    }
    return;
  }
  // A ring is as good an answer to AT as OK: the modem is there.
  if (*code == ResultCode::ring) {
    rang(now);
  } else if (step_ == Step::checking && *code == ResultCode::ok) {
    wait_for_ring(now);
  }
}

void AnswerMachine::rang(TimePoint now) {
  step_ = Step::ringing;
  deadline_ = now + kRingGap;
  ++rings_;
  actions_.emplace_back(Ringing{rings_, rings_ == options_.rings});
}

void AnswerMachine::accept(TimePoint now) {
  if (step_ != Step::ringing) return;
  step_ = Step::answering;
  actions_.emplace_back(Write{"ATA\r", false});
  deadline_ = now + options_.connect_timeout;
}

void AnswerMachine::missed(Errc code, std::string what, TimePoint now) {
  wait_for_ring(now);
  actions_.emplace_back(CallMissed{Error(code, std::move(what), Stage::dial)});
}

void AnswerMachine::answered() {
  step_ = Step::done;
  deadline_.reset();
  actions_.emplace_back(Answered{connect_, leftover_});
}

std::optional<TimePoint> AnswerMachine::deadline() const { return preparation_ ? preparation_->deadline() : deadline_; }

void AnswerMachine::on_time(TimePoint now) {
  if (preparation_) {
    preparation_->on_time(now);
    drain_preparation(now);
    return;
  }
  if (!deadline_ || now < *deadline_) return;
  switch (step_) {
    case Step::waiting:
      step_ = Step::checking;
      lines_.clear();
      actions_.emplace_back(Write{"AT\r", false});
      deadline_ = now + kCheckWait;
      break;
    case Step::checking:
    case Step::paused: start(now); break;
    case Step::ringing:
      missed(Errc::no_answer, fmt::format("it stopped ringing after {} rings; rings = {}", rings_, options_.rings), now);
      break;
    case Step::answering:
      missed(Errc::dial_timeout, fmt::format("a call was answered, and no connection came within {}", format_duration(options_.connect_timeout)), now);
      // It may be off hook still, waiting for a carrier.
      start(now);
      break;
    case Step::line_end: answered(); break;
    case Step::fresh:
    case Step::preparing:
    case Step::done: break;
  }
}

std::optional<AnswerAction> AnswerMachine::next_action() {
  return take_first(actions_);
}

}  // namespace longline::modem
