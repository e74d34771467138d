// SPDX-License-Identifier: MIT
#include "modem/probe_machine.hpp"

#include "base/text.hpp"
#include "modem/result_code.hpp"

namespace longline::modem {
namespace {

constexpr Duration kAnswerToProbe{1'000};
constexpr Duration kQuestion{2'000};
constexpr Duration kSettleAfterProbe{250};
constexpr std::size_t kMostText = 200;

/// An answer line behind those before it. An echo is none, and a modem that says too much is cut off.
void add_line(std::string& text, std::string_view line) {
  line = trim(line);
  if (line.empty() || iequals(line.substr(0, 2), "AT") || text.size() >= kMostText) return;
  if (!text.empty()) text += "; ";
  text += escape_at_most(line, kMostText - text.size());
}

}  // namespace

void ProbeMachine::start(TimePoint now) {
  if (step_ != Step::idle) return;
  actions_.emplace_back(DiscardInput{});
  ask(Step::first, now);
}

void ProbeMachine::ask(Step step, TimePoint now) {
  step_ = step;
  lines_.clear();
  const bool at = step == Step::first || step == Step::second;
  actions_.emplace_back(Write{at ? "AT\r" : step == Step::identity ? "ATI\r" : "AT+CGMM\r", false});
  deadline_ = now + (at ? kAnswerToProbe : kQuestion);
}

void ProbeMachine::on_bytes(std::string_view bytes, TimePoint now) {
  while (!bytes.empty() && step_ != Step::done && step_ != Step::idle && step_ != Step::settle) {
    const std::optional<std::string> line = lines_.next(bytes);
    if (!line) return;
    const std::optional<ResultCode> code = parse_result_code(*line);
    const bool over = code == ResultCode::ok || code == ResultCode::error;
    switch (step_) {
      case Step::first:
      case Step::second:
        if (code != ResultCode::ok) break;
        probed_.answers = true;
        if (step_ == Step::first) {
          ask(Step::identity, now);
        } else {
          // The first AT may be answered yet.
          step_ = Step::settle;
          deadline_ = now + kSettleAfterProbe;
        }
        break;
      case Step::identity:
        if (over) ask(Step::model, now);
        else if (!code) add_line(probed_.identity, *line);
        break;
      case Step::model:
        if (over) finish();
        else if (!code) add_line(probed_.model, *line);
        break;
      default: break;
    }
  }
}

void ProbeMachine::on_closed(TimePoint) {
  if (step_ != Step::idle && step_ != Step::done) finish();
}

void ProbeMachine::on_time(TimePoint now) {
  if (!deadline_ || now < *deadline_) return;
  switch (step_) {
    case Step::first: ask(Step::second, now); break;
    case Step::settle:
      actions_.emplace_back(DiscardInput{});
      ask(Step::identity, now);
      break;
    case Step::identity: ask(Step::model, now); break;
    default: finish(); break;
  }
}

void ProbeMachine::finish() {
  step_ = Step::done;
  deadline_.reset();
  actions_.emplace_back(probed_);
}

std::optional<ProbeAction> ProbeMachine::next_action() {
  return take_first(actions_);
}

}  // namespace longline::modem
