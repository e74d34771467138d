// SPDX-License-Identifier: MIT
// The part of a call in which PPP runs on its line.
#include <utility>

#include "link/call_machine.hpp"

namespace longline::link {

void CallMachine::start_answered(std::string connect, std::string leftover, TimePoint now) {
  if (state_ != LinkState::down || ended_) return;
  answered_ = true;
  options_.link.tariff = {};   // the caller pays
  facts_.connect = std::move(connect);
  facts_.started = last_traffic_ = now;
  Event event;
  event.event = "call.answered";
  event.link = options_.link.name;
  event.text = facts_.connect;
  actions_.emplace_back(Happened{std::move(event)});
  facts_.bytes_in += static_cast<std::int64_t>(leftover.size());
  script::Finished nothing;
  nothing.leftover = std::move(leftover);
  logged_in(nothing, now);
}

void CallMachine::become(const config::Link& link) {
  const config::ModemKind modem = options_.link.modem;
  options_.link = link;
  options_.link.modem = modem;
  options_.link.tariff = {};
}

void CallMachine::came_up() {
  change(LinkState::up);
  Event event;
  event.event = "link.up";
  event.link = options_.link.name;
  if (!answered_) event.more.set("number", facts_.number);
  event.more.set("network", network_ ? "ppp" : "stream");
  actions_.emplace_back(Happened{std::move(event)});
}

void CallMachine::network_up(TimePoint now) {
  if (state_ != LinkState::network || line_is_gone_) return;
  network_by_.reset();
  last_traffic_ = now;
  came_up();
}

void CallMachine::network_ended(std::optional<Error> error, TimePoint now) {
  if (!network_) return;
  network_ = false;
  network_by_.reset();
  if (stop_network_by_) {
    stop_network_by_.reset();
    hang_up_modem(hang_up_as_, now);
    return;
  }
  // A caller hangs up when it is done.
  if (answered_ && state_ == LinkState::up && (!error || error->code == Errc::peer_ended_ppp)) {
    close(std::nullopt, modem::ModemState::data, now);
    return;
  }
  if (!error) error = Error(Errc::line_dropped, "PPP ended", Stage::ppp);
  if (state_ == LinkState::network) network_failed(std::move(*error), now);
  else close(std::move(error), modem::ModemState::data, now);
}

void CallMachine::network_failed(Error error, TimePoint now) {
  const char* name = answered_ && error.stage != Stage::ppp ? "call.refused" : "network.failed";
  Event event = failure_event(name, answered_ ? std::nullopt : std::optional(kDialUpFailed), options_.link.name, error);
  if (!answered_) event.more.set("number", facts_.number);
  actions_.emplace_back(Happened{std::move(event)});
  close(std::move(error), line_is_gone_ ? modem::ModemState::on_hook : modem::ModemState::data, now);
}

void CallMachine::on_traffic(TimePoint now) {
  if (state_ == LinkState::up) last_traffic_ = now;
}

}  // namespace longline::link
