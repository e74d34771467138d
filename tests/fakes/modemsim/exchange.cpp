// SPDX-License-Identifier: MIT
#include "exchange.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace modemsim {

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // '*' is a digit of its own on a telephone, but patterns of numbers want the wildcard; "[*]" is the digit.
  return ::fnmatch(std::string(pattern).c_str(), std::string(text).c_str(), 0) == 0;
}

void Exchange::on_open(int open) {
  open_ = open;
  if (!busy_) faults_ = scenario_.faults.for_open(open);
}

Exchange::Answer Exchange::dial(const std::string& digits, Instant now) {
  ++calls_;
  busy_ = true;
  digits_ = digits;
  faults_ = scenario_.faults.for_call(calls_, open_);
  Answer answer;
  answer.fate = scenario_.numbers.empty() ? Fate::connect : scenario_.modem.unknown_number;
  for (std::size_t i = 0; i < scenario_.numbers.size(); ++i) {
    const NumberScenario& number = scenario_.numbers[i];
    if (!matches_pattern(number.pattern, digits)) continue;
    const std::size_t before = dialled_[i]++;
    answer = {number.fates[std::min(before, number.fates.size() - 1)], number.delay, number.text};
    break;
  }
  log_.write(now, "dial",
             {{"call", std::int64_t{calls_}}, {"number", std::string_view(digits)}, {"fate", to_string(answer.fate)}});
  log_.write_call(calls_, digits, to_string(answer.fate));
  return answer;
}

void Exchange::ring(Instant now) {
  ++calls_;
  busy_ = true;
  digits_.clear();
  faults_ = scenario_.faults.for_call(calls_, open_);
  log_.write(now, "ring", {{"call", std::int64_t{calls_}}});
  log_.write_call(calls_, "-", "incoming");
}

void Exchange::connect(bool outgoing, Instant now) {
  log_.write(now, "connect", {{"call", std::int64_t{calls_}}});
  call_ = std::make_unique<Call>(scenario_, log_, faults_, calls_, digits_, outgoing, now);
}

void Exchange::hang_up(std::string_view cause, Instant now) {
  if (!busy_) return;
  const std::int64_t up = call_ ? call_->bytes_up() : 0;
  const std::int64_t down = call_ ? call_->bytes_down() : 0;
  if (call_) {
    if (auto far_end = call_->close(now)) leaving_.push_back(std::move(far_end));
    call_.reset();
  }
  busy_ = false;
  faults_ = scenario_.faults.for_open(open_);
  log_.write(now, "hangup", {{"call", std::int64_t{calls_}}, {"cause", cause}, {"up", up}, {"down", down}});
}

bool Exchange::pump(Instant now) {
  std::erase_if(leaving_, [&](const std::unique_ptr<FarEnd>& far_end) {
    far_end->on_time(now);
    if (far_end->exited()) {
      log_.write(now, "far-end-gone", {{"pid", std::int64_t{far_end->pid()}}, {"status", std::int64_t{far_end->status()}}});
    }
    return far_end->exited();
  });
  return call_ && call_->pump(now);
}

Instant Exchange::deadline(Instant now, bool taking) const {
  Instant at = call_ ? call_->deadline(now, taking) : never;
  for (const auto& far_end : leaving_) at = std::min(at, far_end->deadline());
  return at;
}

void Exchange::add_polls(std::vector<pollfd>& polls, Instant now) const {
  if (call_) call_->add_polls(polls, now);
}

}  // namespace modemsim
