// SPDX-License-Identifier: MIT
#include "mail/due.hpp"

#include <cstdio>

#include "sys/local_clock.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {

Result<ExitStatus> run_due(const Options& options, World& world) {
  const DueOptions& asked = options.due;
  LONGLINE_CHECK(check_link(world, asked.link));
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world.paths.spool));
  LONGLINE_TRY(mail::ConnectorStates states, spool.connector_states());
  mail::DueReport report(world.config, std::move(states), asked.triggers, sys::wall_now(), sys::local_clock());
  LONGLINE_TRY(const std::unique_ptr<mail::QueueBackend> queue, open_queue(world, false));
  LONGLINE_CHECK(queue->visit([&](mail::QueuedMessage&& message) {
    report.add(message);
    return true;
  }));
  bool any = false;
  for (const mail::DueLink& link : report.links()) {
    if (!asked.link.empty() && link.link != asked.link) continue;
    any = true;
    if (options.common.quiet) continue;
    std::printf("%s\n", (options.common.json ? to_json(link).dump() : link.link).c_str());
  }
  return any ? ExitStatus::ok : ExitStatus::no;
}

}  // namespace longline::mtaq
