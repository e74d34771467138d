// SPDX-License-Identifier: MIT
#include "modem.hpp"

#include <algorithm>
#include <utility>

namespace modemsim {
namespace {

constexpr std::size_t most_output = 2048;  // towards the DTE, before the line is left to wait
constexpr std::size_t most_input = 4096;
constexpr Duration babble_interval = std::chrono::milliseconds(50);

}  // namespace

Modem::Modem(const Scenario& scenario, Exchange& exchange, EventLog& log)
    : scenario_(scenario), exchange_(exchange), log_(log), cellular_(scenario.gsm, log) {
  run_line(scenario.modem.profile, Instant(0));
  output_.clear();
  factory_ = stored_ = settings_;
}

void Modem::on_open(Instant now) {
  open_ = true;
  if (exchange_.faults().babble) babble_at_ = now;
  if (scenario_.incoming.after_open && state_ == State::command && rings_left_ == 0) {
    ring_at_ = now + *scenario_.incoming.after_open;
    rings_left_ = scenario_.incoming.rings;
  }
}

void Modem::on_dtr_dropped(bool closed, Instant now) {
  if (closed) {
    open_ = false;
    output_.clear();
    line_.clear();
    held_.clear();
    work_until_ = never;
    babble_at_ = never;
  }
  if (settings_.dtr == 0 || exchange_.faults().ignore_dtr) return;
  if (settings_.dtr == 1 && state_ == State::online) {
    state_ = State::escaped;
    result(Result::ok);
    return;
  }
  if (settings_.dtr == 1) return;
  if (!exchange_.idle() || state_ != State::command) {
    hang_up("dtr", now);
    if (!closed) result(Result::ok);
  }
  if (settings_.dtr == 3) settings_ = stored_;
}

std::size_t Modem::accepts(Instant now) const {
  if (working()) return held_.size() < most_input ? most_input - held_.size() : 0;
  if (state_ != State::online || !exchange_.call()->carrier()) return most_input;
  return std::min(exchange_.call()->room(now), most_input);
}

void Modem::on_bytes(std::string_view bytes, Instant now) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (working()) {
      held_ += bytes.substr(i);
      return;
    }
    switch (state_) {
      case State::online: return on_data(bytes.substr(i), now);
      case State::dialling:
      case State::answering:
        if (now >= ignore_until_) abort_dialling(now);
        break;
      case State::command:
      case State::escaped: on_command_byte(bytes[i], now); break;
    }
  }
}

void Modem::on_command_byte(char c, Instant now) {
  if (exchange_.faults().silent || restarted_at_ != never) return;
  const bool hung = deaf();
  if (settings_.echo && !hung) output_ += c;
  switch (line_.on_byte(c, settings_.cr(), static_cast<char>(settings_.registers[Settings::backspace]))) {
    case CommandLine::Event::none: return;
    case CommandLine::Event::too_long: result(Result::error); return;
    case CommandLine::Event::line:
    case CommandLine::Event::repeat: break;
  }
  // A modem that hangs still hears the one command that restarts it.
  if (hung && line_.text() != "+CFUN=1,1") return;
  if (scenario_.modem.command_delay > Duration(0)) {
    work_until_ = now + scenario_.modem.command_delay;
    return;
  }
  run_line(line_.text(), now);
}

void Modem::finish_dialling(Instant now) {
  dial_result_at_ = never;
  if (dial_result_ == Result::connect) {
    exchange_.connect(!incoming_, now);
    enter_online(now);
    return;
  }
  hang_up(dial_text_.empty() ? words(dial_result_) : std::string_view(dial_text_), now);
  if (!dial_text_.empty()) result_text(dial_text_, digits(dial_result_));
  else result(dial_result_);
}

void Modem::abort_dialling(Instant now) {
  dial_result_at_ = never;
  hang_up("aborted", now);
  result(Result::no_carrier);
}

void Modem::enter_online(Instant now) {
  send_connect();
  state_ = State::online;
  last_data_at_ = now;
  escapes_ = 0;
  escaped_at_ = never;
}

void Modem::on_data(std::string_view bytes, Instant now) {
  if (!exchange_.call()->carrier()) return;
  for (const char c : bytes) watch_escape(c, now);
  exchange_.call()->put(bytes, now);
}

void Modem::watch_escape(char c, Instant now) {
  const std::uint8_t escape = settings_.registers[Settings::escape];
  const bool pause = now - last_data_at_ >= settings_.guard_time();
  last_data_at_ = now;
  escaped_at_ = never;
  if (escape > 127 || static_cast<std::uint8_t>(c) != escape || exchange_.faults().ignore_escape) {
    escapes_ = 0;
  } else if (pause) {
    escapes_ = 1;
  } else if (escapes_ > 0 && ++escapes_ == 3) {
    escaped_at_ = now + settings_.guard_time();
  }
}

void Modem::hang_up(std::string_view cause, Instant now) {
  exchange_.hang_up(cause, now);
  state_ = State::command;
  dial_result_at_ = never;
  escaped_at_ = never;
  carrier_lost_at_ = never;
  incoming_ = false;
  rings_left_ = 0;
  ring_at_ = never;
  line_.clear();
  if (exchange_.faults().babble && open_) babble_at_ = now;
}

void Modem::drop_carrier(Instant now) {
  if (exchange_.call() != nullptr) exchange_.call()->drop("signal", now);
}

void Modem::check_carrier(Instant now) {
  Call* call = exchange_.call();
  if (call == nullptr || call->carrier()) return;
  vanished_ |= call->vanished();
  if (carrier_lost_at_ == never) carrier_lost_at_ = now + scenario_.modem.carrier_loss_delay;
  if (now < carrier_lost_at_) return;
  if (state_ == State::online && open_) output_ += call->take(now, std::string::npos);
  const bool tells = !call->faults().lose_no_carrier;
  const std::string cause(call->cause());
  hang_up(cause, now);
  if (tells) result(Result::no_carrier);
}

bool Modem::takes_from_line() const { return state_ == State::online && open_ && output_.size() < most_output; }

bool Modem::pump(Instant now) {
  bool moved = false;
  if (now >= work_until_) {
    work_until_ = never;
    run_line(line_.text(), now);
    const std::string held = std::exchange(held_, {});
    on_bytes(held, now);
    moved = true;
  }
  if (now >= restarted_at_) {
    restarted_at_ = never;
    restarted_ = true;
    cellular_.restart(now);
  }
  if (now >= dial_result_at_) finish_dialling(now);
  if (Call* call = exchange_.call(); call != nullptr) {
    vanished_ |= call->vanished();
    if (takes_from_line()) {
      const std::string bytes = call->take(now, most_output);
      output_ += bytes;
      moved |= !bytes.empty();
    }
    check_carrier(now);
  }
  if (now >= escaped_at_) {
    escaped_at_ = never;
    state_ = State::escaped;
    log_.write(now, "escape", {{"call", std::int64_t{exchange_.calls()}}});
    result(Result::ok);
  }
  pump_ringing(now);
  babble(now);
  return moved;
}

void Modem::start_ringing(Instant now) {
  if (state_ != State::command || rings_left_ != 0) return;
  rings_left_ = scenario_.incoming.rings;
  ring_at_ = now;
}

void Modem::pump_ringing(Instant now) {
  if (now < ring_at_ || state_ != State::command) return;
  if (rings_left_ == scenario_.incoming.rings) {
    exchange_.ring(now);
    settings_.registers[Settings::rings] = 0;
  }
  if (rings_left_ == 0) {
    hang_up("unanswered", now);
    return;
  }
  --rings_left_;
  ring_at_ = now + scenario_.incoming.interval;
  result(Result::ring);
  const int heard = ++settings_.registers[Settings::rings];
  const int wanted = settings_.registers[Settings::auto_answer];
  if (wanted > 0 && heard >= wanted) answer(now);
}

void Modem::babble(Instant now) {
  if (now < babble_at_) return;
  babble_at_ = never;
  if (!open_ || !exchange_.faults().babble || state_ != State::command) return;
  if (output_.size() < most_output) output_ += noise_.bytes(8);
  babble_at_ = now + babble_interval;
}

Instant Modem::deadline() const {
  Instant at = std::min({work_until_, dial_result_at_, escaped_at_, carrier_lost_at_, babble_at_, restarted_at_});
  if (state_ == State::command) at = std::min(at, ring_at_);
  return at;
}

void Modem::result(Result result) { result_text(words(result), digits(result)); }

void Modem::result_text(std::string_view text, int digits) {
  const bool answering = settings_.quiet == 2 && incoming_;
  if (settings_.quiet == 1 || answering || deaf() || !open_) return;
  if (settings_.verbose) {
    for (const char c : {settings_.cr(), settings_.lf()}) output_ += c;
    output_ += text;
    for (const char c : {settings_.cr(), settings_.lf()}) output_ += c;
  } else {
    output_ += std::to_string(digits);
    output_ += settings_.cr();
  }
}

void Modem::send_connect() {
  if (settings_.extended == 0) return result(Result::connect);
  std::string text = dial_text_.empty() ? scenario_.modem.connect_text : dial_text_;
  if (text.empty()) {
    text = "CONNECT " + std::to_string(scenario_.line.rate == 0 ? 115200 : scenario_.line.rate);
  }
  result_text(text, connect_digits(text));
}

}  // namespace modemsim
