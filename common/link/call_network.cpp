// SPDX-License-Identifier: MIT
// The part of a call in which PPP runs on its line.
#include <utility>

#include "link/call_machine.hpp"

namespace longline::link {

void CallMachine::came_up() {
  change(LinkState::up);
  Event event;
  event.event = "link.up";
  event.link = options_.link.name;
  event.more.set("number", facts_.number).set("network", network_ ? "ppp" : "stream");
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
  if (!error) error = Error(Errc::line_dropped, "PPP ended", Stage::ppp);
  if (state_ == LinkState::network) network_failed(std::move(*error), now);
  else close(std::move(error), modem::ModemState::data, now);
}

void CallMachine::network_failed(Error error, TimePoint now) {
  Event event = failure_event("network.failed", kDialUpFailed, options_.link.name, error);
  event.more.set("number", facts_.number);
  actions_.emplace_back(Happened{std::move(event)});
  close(std::move(error), line_is_gone_ ? modem::ModemState::on_hook : modem::ModemState::data, now);
}

void CallMachine::on_traffic(TimePoint now) {
  if (state_ == LinkState::up) last_traffic_ = now;
}

}  // namespace longline::link
