// SPDX-License-Identifier: MIT
#include "link/number_choice.hpp"

#include "modem/result_code.hpp"

namespace longline::link {

NumberChoice::NumberChoice(std::vector<std::string> numbers, int attempts, Duration interval)
    : numbers_(std::move(numbers)), excluded_(numbers_.size(), false), left_(attempts), interval_(interval) {}

std::optional<NumberChoice::Next> NumberChoice::first() { return choose(true); }

std::optional<NumberChoice::Next> NumberChoice::next(Errc failure) {
  switch (modem::after_failure(failure)) {
    case modem::AfterFailure::stop: return std::nullopt;
    case modem::AfterFailure::other_number: excluded_[at_] = true; break;
    case modem::AfterFailure::redial: break;
  }
  return choose(false);
}

std::optional<NumberChoice::Next> NumberChoice::choose(bool first) {
  if (left_ <= 0) return std::nullopt;
  const std::size_t before = at_;
  for (std::size_t step = first ? 0 : 1; step <= numbers_.size(); ++step) {
    const std::size_t candidate = (before + step) % numbers_.size();
    if (excluded_[candidate]) continue;
    at_ = candidate;
    --left_;
    const bool new_round = !first && candidate <= before;
    return Next{numbers_[candidate], new_round ? interval_ : Duration(0)};
  }
  return std::nullopt;
}

}  // namespace longline::link
