// SPDX-License-Identifier: MIT
// A supervisor whose call came from the other end.
#include <fmt/format.h>
#include <poll.h>

#include "base/text.hpp"
#include "sys/link/ledger.hpp"
#include "sys/link/supervisor.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr Duration kOthersGiveUp{3'000};
constexpr int kStep = 50;   // milliseconds

}  // namespace

/// The modem is ours: a supervisor of ours that wants to call at the same moment finds it taken, and gives the link up. Two routers that
/// call each other at once would else refuse each other for as long as they do so.
Result<void> Supervisor::claim_link_for_caller() {
  const TimePoint patience = steady_now() + kOthersGiveUp;
  while (true) {
    Result<void> claimed = claim_link();
    if (claimed || claimed.error().code != Errc::busy || steady_now() >= patience) return claimed;
    ::poll(nullptr, 0, kStep);
  }
}

Result<void> Supervisor::open_incoming() {
  Options::Incoming& call = *options_.incoming;
  incoming_ = true;
  port_lock_.emplace(std::move(call.lock));
  line_ = std::move(call.line);
  watch_line();
  since_ = wall_now();
  machine_ = link::CallMachine(options_.call);
  // A stream has no names: it is the link on whose modem it came.
  if (options_.call.link.network == config::Network::stream) return claim_link_for_caller();
  return {};
}

Result<config::Link> Supervisor::identify(const std::string& caller) {
  Result<config::Link> link = options_.incoming->who(caller);
  if (!link) return link;
  options_.call.link = *link;
  if (Result<void> claimed = claim_link_for_caller(); !claimed) {
    if (claimed.error().code != Errc::busy) return std::move(claimed).error();
    return Error(Errc::busy, fmt::format("link '{}' is in use: its caller must try again", escape_at_most(link->name, 64)), Stage::lock);
  }
  machine_.become(*link);
  // Whoever reaches us can be reached.
  if (link->backoff) {
    constexpr Duration kPatience{100};
    Result<Ledger> ledger = Ledger::open(options_.paths.calls, kPatience);
    if (ledger) static_cast<void>(ledger->clear_backoff(link->name).has_value());
  }
  return link;
}

}  // namespace longline::sys
