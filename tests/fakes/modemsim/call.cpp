// SPDX-License-Identifier: MIT
#include "call.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace modemsim {
namespace {

constexpr std::size_t far_end_backlog = 4096;

std::string_view to_string(Login::State state) {
  switch (state) {
    case Login::State::running: return "running";
    case Login::State::logged_in: return "ok";
    case Login::State::refused: return "refused";
    case Login::State::timed_out: return "timed-out";
    case Login::State::dropped: return "dropped";
    case Login::State::silent: return "silent";
  }
  return "?";
}

bool reached(const std::optional<std::int64_t>& limit, std::int64_t passed) { return limit && passed >= *limit; }

}  // namespace

Call::Call(const Scenario& scenario, EventLog& log, Faults faults, int number, std::string digits, bool outgoing,
           Instant now)
    : scenario_(scenario),
      log_(log),
      faults_(std::move(faults)),
      number_(number),
      digits_(std::move(digits)),
      since_(now),
      up_(scenario.line.rate, scenario.line.rtt / 2, static_cast<std::size_t>(scenario.line.buffer)),
      down_(scenario.line.rate, scenario.line.rtt - scenario.line.rtt / 2, static_cast<std::size_t>(scenario.line.buffer)),
      noise_(faults_.noise_seed),
      until_noise_(faults_.noise_every.value_or(0)) {
  if (outgoing) {
    login_.emplace(scenario_.login, faults_, now, [this](int step, Instant when) {
      log_.write(when, "prompt", {{"call", std::int64_t{number_}}, {"step", std::int64_t{step}}});
    });
  } else {
    start_far_end(now);
  }
  check_faults(now);
}

std::size_t Call::before_fault(const std::optional<std::int64_t>& drop, const std::optional<std::int64_t>& silent,
                               const std::optional<std::int64_t>& vanish, std::int64_t passed) const {
  std::int64_t most = INT64_MAX;
  if (!counts()) return static_cast<std::size_t>(most);
  for (const auto* limit : {&drop, &silent, &vanish}) {
    if (*limit) most = std::min(most, std::max<std::int64_t>(**limit - passed, 0));
  }
  return static_cast<std::size_t>(most);
}

void Call::check_faults(Instant now) {
  if (!carrier_) return;
  if (faults_.drop_after && now - since_ >= *faults_.drop_after) return drop("fault", now);
  if (!counts()) return;
  if (reached(faults_.vanish_after_up, counted_up_) || reached(faults_.vanish_after_down, counted_down_)) vanished_ = true;
  if (reached(faults_.drop_after_up, counted_up_) || reached(faults_.drop_after_down, counted_down_)) {
    return drop("fault", now);
  }
  if (mute_) return;
  if (reached(faults_.silent_after_up, counted_up_) || reached(faults_.silent_after_down, counted_down_)) {
    mute_ = true;
    log_.write(now, "silent", {{"call", std::int64_t{number_}}});
  }
}

void Call::drop(std::string_view cause, Instant now) {
  if (!carrier_) return;
  // What a fault cuts off is lost; what a host said before it hung up has reached the modem.
  if (cause != "fault") last_words_ = take_arrived(now, std::string::npos);
  carrier_ = false;
  cause_ = cause;
  up_.clear();
  down_.clear();
  to_line_.clear();
  log_.write(now, "carrier-lost",
             {{"call", std::int64_t{number_}}, {"cause", cause}, {"up", bytes_up_}, {"down", bytes_down_}});
  if (far_end_) far_end_->hang_up(now);
}

std::unique_ptr<FarEnd> Call::close(Instant now) {
  if (far_end_ && carrier_) far_end_->hang_up(now);
  carrier_ = false;
  return std::move(far_end_);
}

std::string Call::take(Instant now, std::size_t most) {
  if (!carrier_) {
    std::string bytes = last_words_.substr(0, most);
    last_words_.erase(0, bytes.size());
    return bytes;
  }
  std::size_t allowed =
      before_fault(faults_.drop_after_down, faults_.silent_after_down, faults_.vanish_after_down, counted_down_);
  if (mute_) allowed = most;
  else if (allowed < most) allowed += std::min(uncounted_down_, most - allowed);
  std::string bytes = take_arrived(now, std::min(most, allowed));
  check_faults(now);
  return bytes;
}

std::string Call::take_arrived(Instant now, std::size_t most) {
  std::string bytes = down_.take(now, most);
  if (mute_) return {};
  bytes_down_ += static_cast<std::int64_t>(bytes.size());
  const std::size_t before = std::min(uncounted_down_, bytes.size());
  uncounted_down_ -= before;
  if (counts()) counted_down_ += static_cast<std::int64_t>(bytes.size() - before);
  if (faults_.noise_every) add_noise(bytes);
  return bytes;
}

void Call::add_noise(std::string& bytes) {
  std::string noisy;
  for (const char c : bytes) {
    noisy += c;
    if (--until_noise_ > 0) continue;
    noisy += noise_.byte();
    until_noise_ = *faults_.noise_every;
  }
  bytes = std::move(noisy);
}

bool Call::pump(Instant now) {
  if (!carrier_) return false;
  if (login_) login_->on_time(now);
  if (far_end_) far_end_->on_time(now);
  bool moved = pump_up(now);
  if (carrier_) moved |= pump_login(now);
  if (carrier_) moved |= pump_down(now);
  if (carrier_) check_far_end(now);
  check_faults(now);
  return moved || !carrier_;
}

bool Call::pump_up(Instant now) {
  std::size_t most = before_fault(faults_.drop_after_up, faults_.silent_after_up, faults_.vanish_after_up, counted_up_);
  if (mute_) most = std::string::npos;
  else if (to_far_end_.size() >= far_end_backlog) most = 0;
  const std::string bytes = up_.take(now, std::min(most, far_end_backlog));
  if (!mute_ && !bytes.empty()) {
    bytes_up_ += static_cast<std::int64_t>(bytes.size());
    if (counts()) counted_up_ += static_cast<std::int64_t>(bytes.size());
    if (login_ && login_->state() != Login::State::logged_in) {
      login_->on_bytes(bytes, now);
      to_far_end_ += login_->take_rest();
    } else {
      to_far_end_ += login_ ? login_->after_answer(bytes) : std::string_view(bytes);
    }
  }
  std::size_t written = to_far_end_.size();
  if (far_end_) written = far_end_->write(to_far_end_);
  else if (!far_end_started_) written = 0;
  to_far_end_.erase(0, written);
  check_faults(now);
  return !bytes.empty() || written > 0;
}

bool Call::pump_login(Instant now) {
  if (!login_) return false;
  if (to_line_.empty()) to_line_ = login_->take_output();
  else if (!faults_.banner_forever) to_line_ += login_->take_output();
  if (login_->state() != Login::State::running && to_line_.empty()) end_login(now);
  return false;
}

void Call::end_login(Instant now) {
  const Login::State state = login_->state();
  if (far_end_started_ || state == Login::State::silent) return;
  // A host that hangs up lets its last words out first.
  if ((state == Login::State::refused || state == Login::State::timed_out) && !all_arrived(now)) return;
  log_.write(now, "login",
             {{"call", std::int64_t{number_}}, {"result", to_string(state)}, {"user", std::string_view(login_->user())}});
  if (state != Login::State::logged_in) return drop("login", now);
  start_far_end(now);
}

void Call::start_far_end(Instant now) {
  far_end_started_ = true;
  if (faults_.count_from_far_end) {
    counted_up_ = static_cast<std::int64_t>(to_far_end_.size());
    uncounted_down_ = down_.size();
  }
  if (scenario_.far_end.command.empty()) return;
  far_end_ = FarEnd::start(scenario_.far_end, {number_, digits_, login_ ? login_->user() : std::string()});
  if (!far_end_) {
    log_.write(now, "far-end-failed", {{"call", std::int64_t{number_}}, {"reason", std::string_view(std::strerror(errno))}});
    return drop("far-end", now);
  }
  log_.write(now, "far-end", {{"call", std::int64_t{number_}}, {"pid", std::int64_t{far_end_->pid()}}});
  check_faults(now);
}

bool Call::pump_down(Instant now) {
  bool moved = false;
  if (far_end_ && to_line_.empty()) {
    to_line_ = far_end_->read(std::max<std::size_t>(down_.room(now), far_end_->exited() ? 1 : 0));
    moved = !to_line_.empty();
  }
  const std::size_t count = std::min(down_.room(now), to_line_.size());
  down_.put(std::string_view(to_line_).substr(0, count), now);
  to_line_.erase(0, count);
  return moved || count > 0;
}

void Call::check_far_end(Instant now) {
  if (!far_end_ || mute_ || !far_end_->finished()) return;
  if (!to_line_.empty() || !all_arrived(now)) return;
  log_.write(now, "far-end-exit", {{"call", std::int64_t{number_}}, {"status", std::int64_t{far_end_->status()}}});
  drop("far-end", now);
}

Instant Call::deadline(Instant now, bool taking) const {
  if (!carrier_) return never;
  Instant at = std::min(up_.next_room(now), down_.next_room(now));
  if (mute_ || to_far_end_.size() < far_end_backlog) at = std::min(at, up_.next_arrival(now));
  if (taking) at = std::min(at, down_.next_arrival(now));
  else if (!all_arrived(now)) at = std::min(at, down_.last_arrival());
  if (login_) at = std::min(at, login_->deadline());
  if (far_end_) at = std::min(at, far_end_->deadline());
  if (faults_.drop_after) at = std::min(at, since_ + *faults_.drop_after);
  return at;
}

void Call::add_polls(std::vector<pollfd>& polls, Instant now) const {
  if (!far_end_ || !carrier_) return;
  far_end_->add_polls(polls, to_line_.empty() && down_.room(now) > 0, !to_far_end_.empty());
}

}  // namespace modemsim
