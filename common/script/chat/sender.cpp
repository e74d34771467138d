// SPDX-License-Identifier: MIT
#include "script/chat/sender.hpp"

#include <utility>

namespace longline::script::chat {

void Sender::start(const Sending& what, std::optional<Duration> limit, TimePoint now) {
  pieces_.assign(what.pieces.begin(), what.pieces.end());
  secret_ = what.secret;
  paced_ = true;   // what the host waits for begins at once
  ends_ = limit ? std::optional(now + *limit) : std::nullopt;
  waits_until_.reset();
}

Sender::State Sender::next(std::deque<Action>& out, TimePoint now) {
  if (waits_until_ && now < *waits_until_) return State::waits;
  waits_until_.reset();
  if (pieces_.empty()) {
    ends_.reset();
    return State::done;
  }
  if (auto* text = std::get_if<std::string>(&pieces_.front())) return write(*text, out, now);
  if (const auto* pause = std::get_if<Pause>(&pieces_.front())) waits_until_ = now + pause->length;
  else out.emplace_back(SendBreak{});
  pieces_.pop_front();
  paced_ = false;
  return State::acted;
}

Sender::State Sender::write(std::string& text, std::deque<Action>& out, TimePoint now) {
  if (ends_ && now >= *ends_) return State::too_late;
  if (pace_.count() > 0 && !std::exchange(paced_, true)) {
    waits_until_ = now + pace_;
    return State::waits;
  }
  const std::size_t n = pace_.count() > 0 ? 1 : text.size();
  out.emplace_back(Write{text.substr(0, n), secret_});
  text.erase(0, n);
  paced_ = false;
  if (text.empty()) pieces_.pop_front();
  return State::acted;
}

}  // namespace longline::script::chat
