// SPDX-License-Identifier: MIT
// flush of another mail system's queue.
#include <fmt/format.h>

#include <cstdio>

#include "sys/link/link_client.hpp"
#include "sys/queue/mta_flush.hpp"
#include "verbs.hpp"

namespace longline::mtaq {

Result<mail::FlushTally> flush_mta(const Options& options, World& world, sys::FlushSettings settings, sys::FlushObserver& observer) {
  LONGLINE_TRY(const std::unique_ptr<mail::QueueBackend> queue, open_queue(world, true));
  LONGLINE_TRY(mail::ConnectorChoice choice, choice_now(world));
  const bool waits = settings.wait;
  sys::MtaFlush flush(*queue, choice, std::move(settings), observer);
  LONGLINE_TRY(mail::FlushTally tally, flush.run());
  // A call that moves nothing counts against the link, whoever sends.
  for (const auto& [link, moved] : flush.moved()) sys::TransferReport(world.paths, link).finish(moved.due, moved.sent, moved.connector);
  if (!waits && flush.asked_for() > 0 && !options.common.quiet && !options.common.json) {
    const std::string name(queue->name());
    std::fprintf(stderr, "%s was asked to send %zu message%s; --wait would follow them\n", name.c_str(), flush.asked_for(),
                 flush.asked_for() == 1 ? "" : "s");
  }
  return tally;
}

}  // namespace longline::mtaq
