// SPDX-License-Identifier: MIT
// A supervisor whose call came from the other end.
#include <fmt/format.h>

#include "base/text.hpp"
#include "sys/ledger.hpp"
#include "sys/supervisor.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {

Result<void> Supervisor::open_incoming() {
  Options::Incoming& call = *options_.incoming;
  incoming_ = true;
  port_lock_.emplace(std::move(call.lock));
  line_ = std::move(call.line);
  watch_line();
  since_ = wall_now();
  machine_ = link::CallMachine(options_.call);
  // A stream has no names: it is the link on whose modem it came.
  if (options_.call.link.network == config::Network::stream) return claim_link();
  return {};
}

Result<config::Link> Supervisor::identify(const std::string& caller) {
  Result<config::Link> link = options_.incoming->who(caller);
  if (!link) return link;
  options_.call.link = *link;
  if (Result<void> claimed = claim_link(); !claimed) {
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
