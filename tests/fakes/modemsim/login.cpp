// SPDX-License-Identifier: MIT
#include "login.hpp"

#include <algorithm>
#include <utility>

#include "noise.hpp"

namespace modemsim {
namespace {

constexpr std::size_t longest_line = 255;

}  // namespace

Login::Login(const LoginScenario& scenario, const Faults& faults, Instant now, OnPrompt on_prompt)
    : scenario_(scenario), faults_(faults), on_prompt_(std::move(on_prompt)), tries_left_(scenario.tries) {
  if (scenario_.timeout) give_up_at_ = now + *scenario_.timeout;
  enter(0, now);
}

void Login::enter(std::size_t step, Instant now) {
  step_ = step;
  line_.clear();
  if (faults_.banner_forever) return;
  if (step_ == scenario_.steps.size()) {
    state_ = State::logged_in;
    return;
  }
  prompt_at_ = now + scenario_.steps[step_].delay;
  if (prompt_at_ <= now) prompt(now);
}

void Login::prompt(Instant now) {
  prompt_at_ = never;
  if (is_step(faults_.silent_before_step)) {
    state_ = State::silent;
    return;
  }
  if (is_step(faults_.drop_before_step)) {
    state_ = State::dropped;
    return;
  }
  const LoginStep& step = scenario_.steps[step_];
  if (is_step(faults_.noise_before_step)) output_ += Noise(faults_.noise_seed).bytes(faults_.noise_bytes);
  output_ += step.send;
  on_prompt_(static_cast<int>(step_) + 1, now);
  if (is_step(faults_.silent_after_step)) {
    state_ = State::silent;
    return;
  }
  if (!step.expect) enter(step_ + 1, now);
}

void Login::on_bytes(std::string_view bytes, Instant now) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (state_ == State::logged_in) {
      rest_ = after_answer(bytes.substr(i));
      return;
    }
    if (state_ != State::running) return;
    on_byte(bytes[i], now);
  }
}

std::string_view Login::after_answer(std::string_view bytes) {
  if (bytes.empty()) return bytes;
  if (std::exchange(after_cr_, false) && bytes.front() == '\n') bytes.remove_prefix(1);
  return bytes;
}

void Login::on_byte(char c, Instant now) {
  const bool second_half = after_cr_ && c == '\n';
  after_cr_ = c == '\r';
  if (second_half || prompt_at_ != never || faults_.banner_forever) return;
  const bool echo = scenario_.steps[step_].echo;
  if (c == '\r' || c == '\n') {
    if (scenario_.echo) output_ += "\r\n";
    on_line(now);
  } else if (c == '\b' || c == '\x7f') {
    if (line_.empty()) return;
    line_.pop_back();
    if (echo) output_ += "\b \b";
  } else if (c != '\0' && line_.size() < longest_line) {
    line_ += c;
    if (echo) output_ += c;
  }
}

void Login::on_line(Instant now) {
  const std::string& expect = *scenario_.steps[step_].expect;
  if (is_step(faults_.drop_after_step)) {
    state_ = State::dropped;
    return;
  }
  if (line_.empty() && !expect.empty() && expect != "$password") return enter(step_, now);
  if (expect == "$user") {
    user_ = line_;
  } else if (expect == "$password") {
    if (user_ != scenario_.user || line_ != scenario_.password) return refuse(user_step(), now);
  } else if (!expect.empty() && line_ != expect) {
    return refuse(step_, now);
  }
  enter(step_ + 1, now);
}

void Login::refuse(std::size_t back_to, Instant now) {
  output_ += scenario_.refusal;
  if (--tries_left_ <= 0) {
    state_ = State::refused;
    return;
  }
  enter(back_to, now);
}

std::size_t Login::user_step() const {
  for (std::size_t i = 0; i < step_; ++i) {
    if (scenario_.steps[i].expect == "$user") return i;
  }
  return step_;
}

void Login::on_time(Instant now) {
  if (now >= give_up_at_ && (state_ == State::running || state_ == State::silent)) {
    state_ = State::timed_out;
    return;
  }
  if (state_ == State::running && now >= prompt_at_) prompt(now);
}

Instant Login::deadline() const {
  if (state_ == State::silent) return give_up_at_;
  return state_ == State::running ? std::min(prompt_at_, give_up_at_) : never;
}

std::string Login::take_output() {
  if (output_.empty() && faults_.banner_forever && state_ == State::running) return *faults_.banner_forever;
  return std::exchange(output_, {});
}

}  // namespace modemsim
