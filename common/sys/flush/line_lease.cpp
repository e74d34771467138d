// SPDX-License-Identifier: MIT
#include "sys/flush/line_lease.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>

#include "base/text.hpp"
#include "mail/connector_choice.hpp"
#include "sys/loop.hpp"
#include "sys/process_identity.hpp"
#include "sys/signals.hpp"

namespace longline::sys {
namespace {

constexpr Duration kAskAgain(100);

}  // namespace

LineLease::LineLease(Spool& spool, const config::Connector& connector) : spool_(spool), lane_(mail::lease_name(connector)) {}

LineLease::~LineLease() { (void)spool_.release_lease(); }

Result<std::optional<Error>> LineLease::take(bool wait, TimePoint end) {
  LONGLINE_TRY(Signals signals, Signals::open({SIGTERM, SIGINT, SIGHUP}));
  Loop loop;
  bool is_interrupted = false;
  const auto watch = loop.watch(signals.fd(), POLLIN, [&](short) { is_interrupted = signals.take() || is_interrupted; });
  while (true) {
    LONGLINE_TRY(const std::optional<ProcessIdentity> holder, spool_.take_lease(lane_));
    if (!holder) return std::optional<Error>();
    const std::string who = fmt::format("another flush (process {}, {}) has the line", holder->pid, escape(command_name(*holder)));
    if (!wait) return std::optional(Error(Errc::busy, who, Stage::lock));
    if (loop.now() >= end) return std::optional(Error(Errc::deadline, "the time ran out: " + who, Stage::lock));
    if (is_interrupted) return std::optional(Error(Errc::interrupted, "interrupted", Stage::lock));
    has_waited_ = true;
    LONGLINE_CHECK(loop.run_once(std::min(end, loop.now() + kAskAgain)));
  }
}

}  // namespace longline::sys
