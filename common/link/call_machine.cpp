// SPDX-License-Identifier: MIT
#include "link/call_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace longline::link {
namespace {

std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  if (!a) return b;
  return b ? std::min(*a, *b) : a;
}

constexpr Duration kEndOfPpp{3'000};   // pppd asks twice, a second apart

}  // namespace

CallMachine::CallMachine(CallOptions options)
    : options_(std::move(options)), numbers_(options_.link.numbers, options_.link.attempts, options_.link.interval) {}

void CallMachine::change(LinkState state) {
  if (state_ == state) return;
  state_ = state;
  actions_.emplace_back(StateChanged{state});
}

void CallMachine::start(TimePoint now) {
  if (state_ != LinkState::down || ended_) return;
  change(LinkState::dialing);
  if (options_.link.modem == config::ModemKind::none) {
    actions_.emplace_back(SetDtr{true});
    connected("", now);
    return;
  }
  if (const std::optional<NumberChoice::Next> next = numbers_.first()) dial(*next, now);
}

void CallMachine::connected(std::string leftover, TimePoint now) {
  facts_.started = now;
  last_traffic_ = now;
  Event event;
  event.event = "call.connected";
  event.link = options_.link.name;
  event.text = facts_.connect;
  event.more.set("number", facts_.number).set("attempt", facts_.attempts);
  if (facts_.signal_dbm) event.more.set("signal_dbm", *facts_.signal_dbm);
  actions_.emplace_back(Happened{std::move(event)});
  if (!options_.script) {
    script::Finished nothing;
    nothing.leftover = std::move(leftover);
    facts_.bytes_in += static_cast<std::int64_t>(nothing.leftover.size());
    logged_in(nothing, now);
    return;
  }
  change(LinkState::login);
  script::LoginOptions script_options;
  script_options.user = options_.link.user;
  script_options.password = options_.password;
  script_options.deadline = options_.link.login_timeout;
  script_options.read_file = options_.read_file;
  script_.emplace(*options_.script, script_options, now);
  script_->start(now);
  drain_script(now);
  if (!leftover.empty()) on_bytes(leftover, now);
}

void CallMachine::drain_script(TimePoint now) {
  while (script_) {
    std::optional<script::Action> action = script_->next_action();
    if (!action) return;
    if (auto* write = std::get_if<Write>(&*action)) {
      facts_.bytes_out += static_cast<std::int64_t>(write->bytes.size());
      last_traffic_ = now;
      actions_.emplace_back(std::move(*write));
    } else if (auto* framing = std::get_if<SetFraming>(&*action)) {
      actions_.emplace_back(*framing);
    } else if (std::holds_alternative<SendBreak>(*action)) {
      actions_.emplace_back(SendBreak{});
    } else if (auto* finished = std::get_if<script::Finished>(&*action)) {
      const script::Finished end = std::move(*finished);
      if (script::to_error(end)) failed_login_ = script_->transcript();
      script_.reset();
      logged_in(end, now);
      return;
    }
  }
}

void CallMachine::logged_in(const script::Finished& finished, TimePoint now) {
  if (std::optional<Error> error = script::to_error(finished)) {
    Event event = failure_event("login.failed", kDialUpFailed, options_.link.name, *error);
    event.more.set("number", facts_.number);
    actions_.emplace_back(Happened{std::move(event)});
    const bool lost = error->code == Errc::line_dropped;
    close(std::move(error), lost ? modem::ModemState::on_hook : modem::ModemState::data, now);
    return;
  }
  watch_ = modem::CarrierWatch();
  change(LinkState::network);
  if (options_.link.network == config::Network::ppp) {
    network_ = true;
    network_by_ = now + options_.link.network_timeout;
    actions_.emplace_back(StartNetwork{});
  } else {
    came_up();
  }
  if (!finished.leftover.empty()) deliver(watch_.feed(finished.leftover, now));
}

void CallMachine::deliver(std::string bytes) {
  if (!bytes.empty()) actions_.emplace_back(Deliver{std::move(bytes)});
}

void CallMachine::on_bytes(std::string_view bytes, TimePoint now) {
  if (bytes.empty()) return;
  if (hangup_) {
    hangup_->on_bytes(bytes, now);
    drain_hangup(now);
  } else if (dial_) {
    dial_->on_bytes(bytes, now);
    drain_dial(now);
  } else if (state_ == LinkState::login || carries_data()) {
    facts_.bytes_in += static_cast<std::int64_t>(bytes.size());
    if (!network_) last_traffic_ = now;
    if (script_) {
      static_cast<void>(watch_.feed(bytes, now));
      script_->on_bytes(bytes, now);
      drain_script(now);
    } else {
      deliver(watch_.feed(bytes, now));
    }
  }
}

void CallMachine::send(std::string_view bytes, TimePoint now) {
  if (!carries_data() || bytes.empty()) return;
  facts_.bytes_out += static_cast<std::int64_t>(bytes.size());
  if (!network_) last_traffic_ = now;
  actions_.emplace_back(Write{std::string(bytes), false});
}

void CallMachine::on_carrier(bool carrier, TimePoint now) {
  if (!carrier && dial_ && dial_->awaits_connect()) dcd_follows_ = true;
  if (state_ != LinkState::login && !carries_data()) return;
  if (carrier) dcd_on_ = true;
  else if (dcd_on_) carrier_lost(now);
}

void CallMachine::carrier_lost(TimePoint now) {
  if (script_) {
    script_->on_closed(now);
    drain_script(now);
    return;
  }
  if (stop_network_by_) {
    stop_network_by_.reset();
    network_ = false;
    actions_.emplace_back(StopNetwork{StopNetwork::How::at_once});
    hang_up_modem(modem::ModemState::on_hook, now);
    return;
  }
  if (network_ && state_ == LinkState::network) {
    // What PPP was about to say matters more than that the peer hung up afterwards.
    if (line_is_gone_) return;
    line_is_gone_ = true;
    network_by_ = now + kEndOfPpp;
    actions_.emplace_back(StopNetwork{StopNetwork::How::line_is_gone});
    return;
  }
  std::optional<Error> error;
  if (!session_over_) {
    error = Error(Errc::line_dropped, fmt::format("the line dropped after {}", format_duration(now - *facts_.started)),
                  Stage::transfer);
  }
  close(std::move(error), modem::ModemState::on_hook, now);
}

void CallMachine::on_closed(TimePoint now) {
  if (ended_ || state_ == LinkState::down) return;
  if (dial_) {
    dial_->on_closed(now);
    drain_dial(now);
    if (reopening_) return;
  } else if (script_) {
    carrier_lost(now);
  } else if (!end_ && carries_data() && !session_over_) {
    end_ = Error(Errc::line_dropped, "the port went away under the call", Stage::transfer);
  } else if (!end_ && state_ == LinkState::dialing) {
    end_ = Error(Errc::no_device, "the port was closed at its other end", Stage::modem);
  }
  if (!ended_) finish();
}

void CallMachine::hang_up(std::optional<Error> reason, TimePoint now) {
  if (ended_ || state_ == LinkState::closing) return;
  if (reopening_) {
    end_ = std::move(reason);
    finish();
    return;
  }
  const bool dialling = dial_.has_value() || after_hangup_.has_value();
  // A modem that has just said NO CARRIER needs no second of silence to be told to hang up.
  const bool connected = facts_.started.has_value() && !suspects_carrier();
  dial_.reset();
  script_.reset();
  hangup_.reset();
  after_hangup_.reset();
  waiting_.reset();
  wait_until_.reset();
  close(std::move(reason), connected ? modem::ModemState::data : dialling ? modem::ModemState::dialling : modem::ModemState::on_hook, now);
}

void CallMachine::close(std::optional<Error> reason, modem::ModemState modem, TimePoint now) {
  end_ = std::move(reason);
  change(LinkState::closing);
  network_by_.reset();
  if (network_ && modem == modem::ModemState::data) {
    hang_up_as_ = modem;
    stop_network_by_ = now + kEndOfPpp;
    actions_.emplace_back(StopNetwork{StopNetwork::How::politely});
    return;
  }
  if (std::exchange(network_, false)) actions_.emplace_back(StopNetwork{StopNetwork::How::at_once});
  hang_up_modem(modem, now);
}

void CallMachine::hang_up_modem(modem::ModemState modem, TimePoint now) {
  if (options_.link.modem == config::ModemKind::none) {
    actions_.emplace_back(SetDtr{false});
    finish();
    return;
  }
  hangup_.emplace(modem);
  hangup_->start(now);
  drain_hangup(now);
}

void CallMachine::drain_hangup(TimePoint now) {
  while (hangup_) {
    const std::optional<modem::HangUpAction> action = hangup_->next_action();
    if (!action) return;
    if (const auto* write = std::get_if<Write>(&*action)) actions_.emplace_back(*write);
    if (const auto* dtr = std::get_if<SetDtr>(&*action)) actions_.emplace_back(*dtr);
    if (!std::holds_alternative<modem::HungUp>(*action)) continue;
    hangup_.reset();
    if (!after_hangup_) {
      finish();
      return;
    }
    Error error = std::move(*after_hangup_);
    after_hangup_.reset();
    waiting_ = numbers_.next(error.code);
    if (!waiting_) {
      end_ = std::move(error);
      finish();
      return;
    }
    wait_until_ = now + waiting_->after;
    on_time(now);
  }
}

void CallMachine::finish() {
  if (ended_) return;
  ended_ = true;
  dial_.reset();
  script_.reset();
  hangup_.reset();
  wait_until_.reset();
  network_by_.reset();
  stop_network_by_.reset();
  if (std::exchange(network_, false)) actions_.emplace_back(StopNetwork{StopNetwork::How::at_once});
  state_ = LinkState::down;
  actions_.emplace_back(Ended{std::move(end_)});
}

void CallMachine::on_time(TimePoint now) {
  if (end_at_limit(now)) return;
  if (wait_until_ && now >= *wait_until_) {
    wait_until_.reset();
    const NumberChoice::Next next = *std::exchange(waiting_, std::nullopt);
    dial(next, now);
    return;
  }
  if (hangup_) {
    hangup_->on_time(now);
    drain_hangup(now);
  } else if (dial_) {
    dial_->on_time(now);
    drain_dial(now);
  } else if (stop_network_by_ && now >= *stop_network_by_) {
    stop_network_by_.reset();
    network_ = false;
    actions_.emplace_back(StopNetwork{StopNetwork::How::at_once});
    hang_up_modem(hang_up_as_, now);
  } else if (network_by_ && now >= *network_by_) {
    network_failed(line_is_gone_ ? Error(Errc::line_dropped, "the line dropped while PPP was coming up", Stage::ppp)
                                 : Error(Errc::ppp_timeout, fmt::format("PPP was not up within {} (network-timeout)",
                                                                        format_duration(options_.link.network_timeout)), Stage::ppp),
                   now);
  } else if (state_ == LinkState::login || carries_data()) {
    const modem::CarrierWatch::Verdict verdict = watch_.on_time(now);
    if (verdict == modem::CarrierWatch::Verdict::lost && !dcd_decides()) {
      carrier_lost(now);
    } else if (verdict != modem::CarrierWatch::Verdict::nothing) {
      std::string held = watch_.take();
      if (!script_) deliver(std::move(held));
    }
    if (script_) {
      script_->on_time(now);
      drain_script(now);
    }
  }
}

std::optional<TimePoint> CallMachine::deadline() const {
  if (ended_) return std::nullopt;
  std::optional<TimePoint> when = earlier(limit(), wait_until_);
  if (hangup_) return earlier(when, hangup_->deadline());
  if (dial_) return earlier(when, dial_->deadline());
  if (state_ == LinkState::login || carries_data()) when = earlier(when, watch_.deadline());
  if (network_by_) when = earlier(when, *network_by_);
  if (stop_network_by_) when = earlier(when, *stop_network_by_);
  if (script_) when = earlier(when, script_->deadline());
  return when;
}

std::optional<CallAction> CallMachine::next_action() {
  return take_first(actions_);
}

}  // namespace longline::link
