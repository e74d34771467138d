// SPDX-License-Identifier: MIT
// PPP on the supervisor's line.
#include <algorithm>

#include "sys/link/supervisor.hpp"

namespace longline::sys {
namespace {

/// How often a link is asked for traffic: a tenth of its idle time, and no more than once a second.
Duration between_looks(Duration idle) { return std::clamp(idle / 10, Duration(1'000), Duration(30'000)); }

}  // namespace

void Supervisor::start_network() {
  PppNetwork::Options options{options_.call.link, options_.role, options_.call.password, options_.paths, options_.tool_options};
  Result<std::unique_ptr<PppNetwork>> network = PppNetwork::start(
      loop_, std::move(options),
      {[this](std::string bytes) {
         machine_.send(bytes, loop_.now());
         drain();
       },
       [this] {
         machine_.network_up(loop_.now());
         look_for_traffic();
         drain();
       },
       [this](std::optional<Error> error) {
         retired_ppp_ = std::move(ppp_);
         machine_.network_ended(std::move(error), loop_.now());
         drain();
       },
       [this] { rearm(); }, [this](Event event) { events_.emit(event); },
       incoming_ ? [this](const std::string& caller) { return identify(caller); } : PppNetwork::Identify()});
  if (!network) {
    machine_.network_ended(std::move(network).error(), loop_.now());
    return;
  }
  ppp_ = std::move(*network);
}

void Supervisor::stop_network(link::StopNetwork::How how) {
  using How = link::StopNetwork::How;
  traffic_timer_.reset();
  if (!ppp_) return;
  if (how == How::at_once) retired_ppp_ = std::move(ppp_);
  else if (how == How::line_is_gone) ppp_->session().hang_up();
  else ppp_->session().stop();
}

void Supervisor::look_for_traffic() {
  if (!ppp_ || machine_.state() != link::LinkState::up) return;
  if (ppp_->session().take_traffic()) machine_.on_traffic(loop_.now());
  traffic_timer_ = loop_.at(loop_.now() + between_looks(options_.call.link.idle), [this] {
    look_for_traffic();
    drain();
  });
}

}  // namespace longline::sys
