// SPDX-License-Identifier: MIT
#include "sys/spool.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

Result<void> change(sys::Spool& spool, Verb verb, const std::string& id) {
  switch (verb) {
    case Verb::hold: return spool.set_held(id, true);
    case Verb::release: return spool.set_held(id, false);
    case Verb::remove: return spool.remove(id);
    default: return spool.requeue(id);
  }
}

std::string_view event_name(Verb verb) {
  switch (verb) {
    case Verb::hold: return "queue.held";
    case Verb::release: return "queue.released";
    case Verb::remove: return "queue.removed";
    default: return "queue.requeued";
  }
}

}  // namespace

Result<ExitStatus> run_change(const Options& options, World& world) {
  LONGLINE_TRY(const std::vector<std::string> ids, read_ids(options.change.ids));
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open(world.paths.spool));
  // One that is gone or busy does not keep the others from being changed; the first failure is the status.
  std::optional<Error> first;
  for (const std::string& id : ids) {
    Result<void> changed = change(spool, options.verb, id);
    if (changed) {
      Event event{std::string(event_name(options.verb))};
      event.message = id;
      world.events.emit(event);
      continue;
    }
    if (changed.error().code != Errc::not_found && changed.error().code != Errc::busy) return std::move(changed).error();
    if (first) tools::print_error("mtaq", options.common, changed.error());
    else first = std::move(changed).error();
  }
  if (first) return std::move(*first);
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
