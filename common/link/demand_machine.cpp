// SPDX-License-Identifier: MIT
#include "link/demand_machine.hpp"

#include <algorithm>

#include "base/machine.hpp"

namespace longline::link {
namespace {

constexpr std::size_t kMostPackets = 64;
constexpr std::size_t kMostBytes = 64 * 1024;
constexpr Duration kOldest{60'000};
constexpr Duration kShortestRetry{1'000};
constexpr Duration kFirstPause{60'000};
constexpr Duration kLongestPause{600'000};
// Packets that were on their way to us when the routes left.
constexpr Duration kTail{3'000};
constexpr int kMostSentOn = 256;

Duration times(Duration d, double factor) { return Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * factor)); }

}  // namespace

void DemandMachine::start() { place_routes(""); }

void DemandMachine::place_routes(const std::string& reason) {
  const Place wanted = link_up_ ? Place::link : hiding_ || forbidden_ ? Place::nowhere : Place::here;
  if (wanted == place_) return;
  place_ = wanted;
  if (wanted == Place::here) actions_.emplace_back(ShowRoutes{});
  if (wanted == Place::nowhere) actions_.emplace_back(HideRoutes{reason});
}

void DemandMachine::keep(std::string_view packet, TimePoint now) {
  if (packet.size() > kMostBytes) return;
  drop_old(now);
  waiting_.push_back({std::string(packet), now});
  waiting_bytes_ += packet.size();
  while (waiting_.size() > kMostPackets || waiting_bytes_ > kMostBytes) {
    waiting_bytes_ -= waiting_.front().packet.size();
    waiting_.pop_front();
  }
}

void DemandMachine::drop_old(TimePoint now) {
  while (!waiting_.empty() && now - waiting_.front().since > kOldest) {
    waiting_bytes_ -= waiting_.front().packet.size();
    waiting_.pop_front();
  }
}

void DemandMachine::call(std::optional<PacketFacts> packet) {
  calling_ = true;
  actions_.emplace_back(CallLink{packet, rounds_ + 1 >= options_.rounds});
}

void DemandMachine::on_packet(std::string_view packet, TimePoint now) {
  const std::optional<PacketFacts> facts = read_packet(packet);
  if (!facts || !facts->real) return;
  if (link_up_) {
    if (now - *up_since_ <= kTail && sent_on_ < kMostSentOn) {
      ++sent_on_;
      actions_.emplace_back(SendOn{std::string(packet)});
    }
    return;
  }
  if (place_ != Place::here) return;
  keep(packet, now);
  if (!calling_ && !retry_at_) call(facts);
}

void DemandMachine::on_link_coming() { link_coming_ = true; }

void DemandMachine::on_link_up(TimePoint now) {
  if (link_up_) return;
  link_up_ = true;
  link_coming_ = calling_ = hiding_ = false;
  forbidden_.reset();
  retry_at_.reset();
  rounds_ = surrenders_ = sent_on_ = 0;
  up_since_ = now;
  place_ = Place::link;
  drop_old(now);
  for (Waiting& one : waiting_) actions_.emplace_back(SendOn{std::move(one.packet)});
  waiting_.clear();
  waiting_bytes_ = 0;
}

void DemandMachine::on_link_down(TimePoint now) {
  const bool coming = std::exchange(link_coming_, false);
  if (!link_up_ && !coming) return;
  link_up_ = false;
  place_routes("");
  // Somebody else's call failed: ours is the next.
  drop_old(now);
  if (!waiting_.empty() && !calling_ && !retry_at_ && place_ == Place::here) call(std::nullopt);
}

void DemandMachine::on_call_failed(const Error& error, double jitter, TimePoint now) {
  if (!std::exchange(calling_, false)) return;
  link_coming_ = false;
  drop_old(now);
  jitter = std::clamp(jitter, 0.0, 1.0);
  switch (error.code) {
    case Errc::interrupted:   // by hand
      waiting_.clear();
      waiting_bytes_ = 0;
      return;
    case Errc::port_in_use:
      // The modem is in a call, perhaps one from the other end: that says nothing of the link.
      retry_at_ = now + std::max(times(options_.interval, 0.5 + jitter), kShortestRetry);
      return;
    case Errc::outside_hours:
    case Errc::over_budget:
    case Errc::unreachable: give_up(kFirstPause, error.what, now); return;
    default: break;
  }
  if (!is_temporary(error.code)) {
    give_up(kLongestPause, error.what, now);
  } else if (++rounds_ < options_.rounds) {
    retry_at_ = now + std::max(times(options_.interval, 0.5 + jitter), kShortestRetry);
  } else {
    const Duration pause = std::min(kFirstPause * (1 << std::min(surrenders_, 4)), kLongestPause);
    give_up(times(pause, 0.75 + jitter / 2), error.what, now);
  }
}

void DemandMachine::give_up(Duration pause, std::string reason, TimePoint now) {
  waiting_.clear();
  waiting_bytes_ = 0;
  rounds_ = 0;
  ++surrenders_;
  hiding_ = true;
  retry_at_ = now + pause;
  place_routes(reason);
}

void DemandMachine::on_unreachable(std::optional<std::string> reason) {
  if (link_up_ || calling_) return;
  const bool changed = reason.has_value() != forbidden_.has_value();
  forbidden_ = std::move(reason);
  if (!changed) return;
  if (forbidden_) {
    waiting_.clear();
    waiting_bytes_ = 0;
  } else {
    // What forbade it is over: so is what we made of the refusal.
    hiding_ = false;
    retry_at_.reset();
  }
  place_routes(forbidden_.value_or(""));
}

void DemandMachine::on_time(TimePoint now) {
  if (!retry_at_ || now < *retry_at_) return;
  retry_at_.reset();
  if (std::exchange(hiding_, false)) {
    place_routes(forbidden_.value_or(""));
    return;
  }
  drop_old(now);
  if (!waiting_.empty() && !calling_) call(std::nullopt);
}

std::optional<DemandAction> DemandMachine::next_action() {
  return take_first(actions_);
}

}  // namespace longline::link
