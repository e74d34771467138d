// SPDX-License-Identifier: MIT
// A visit of a flush to an X.400 peer: what the association moved, what its end says about the connector.
#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "sys/flush/queue_flush.hpp"
#include "sys/link/link_client.hpp"
#include "sys/x400/x400_visit.hpp"

namespace longline::sys {
namespace {

constexpr int kAssociationRefused = 1290;   // Exchange's event number

}  // namespace

Result<void> QueueFlush::associate(FlushBatch& batch, const FlushHop& hop) {
  const config::Connector& connector = *hop.connector;
  LONGLINE_CHECK(batch.refuse_too_large(hop, 0));
  const std::size_t due = batch.due(hop);
  if (due == 0) return {};
  TransferReport report(paths_, connector.link);
  X400Visit visit(loop_, spool_, config_, paths_, events_, settings_.host, connector, peer_address(connector),
                  {[this](const std::string& note) { observer_.on_note(note); }});
  if (Result<void> opened = visit.open(end_); !opened) return unreachable(batch, hop, std::move(opened).error());
  allowance_.start_session(0, Duration(0), loop_.now());
  session_ = &visit;
  session_began_ = loop_.now();
  bytes_done_before_ = bytes_done_;
  keep_showing();
  Result<X400Visit::Finished> finished = visit.run(batch, [&] { batch.start_hop(hop, settings_.scope.ids.empty()); },
                                                 [&] { return batch.due(hop); });
  progress_timer_.reset();
  session_ = nullptr;
  if (!finished) return std::move(finished).error();
  if (finished->error && finished->error->code == Errc::interrupted && !ended_by_) ended_by_ = Errc::interrupted;
  report.finish(static_cast<std::int64_t>(due), static_cast<std::int64_t>(finished->sent), connector.name);
  Event event{"queue.flushed"};
  if (finished->error) event = failure_event("queue.flushed", finished->bound ? kAssociationEnded : kAssociationRefused, connector.link, *finished->error);
  event.link = connector.link;
  event.connector = connector.name;
  event.more.set("due", static_cast<std::int64_t>(due)).set("sent", static_cast<std::int64_t>(finished->sent));
  event.more.set("received", static_cast<std::int64_t>(finished->received));
  event.more.set("bytes_out", static_cast<std::int64_t>(visit.bytes_out())).set("bytes_in", static_cast<std::int64_t>(visit.bytes_in()));
  if (visit.connections() > 1) event.more.set("connections", visit.connections());
  events_.emit(event);
  Error why = finished->error ? *finished->error : Error(Errc::messages_left, "the association ended before its turn", Stage::transfer);
  why = std::move(why).context("connector " + connector.name);
  if (!finished->error || finished->moved) {
    LONGLINE_CHECK(note(hop, nullptr, true));
  } else if (!ended_by_) {
    LONGLINE_CHECK(fail_hop(batch, hop, why, finished->bound));
  }
  const auto rest = ended_by_ || finished->error ? FlushBatch::Rest::all : FlushBatch::Rest::but_elsewhere;
  return batch.give_up(hop, ended_by_ ? cut_short().context("connector " + connector.name) : why, true, rest);
}

}  // namespace longline::sys
