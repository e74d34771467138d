// SPDX-License-Identifier: MIT
#include <utility>

#include "x400/presentation.hpp"
#include "x400/rts_impl.hpp"
#include "x400/rtse.hpp"

namespace longline::x400 {

void Rts::Impl::on(ActivityStarted&& started) {
  receiving.emplace();
  receiving->key = TransferKey{agreement.bound.session, std::move(started.id)};
  receiving->first = true;
}

void Rts::Impl::on(ActivityResumed&& resumed) {
  const Resumption& from = resumed.from;
  const bool elsewhere = !from.calling_reference.empty() || !from.common_reference.empty() || !from.additional_reference.empty();
  receiving.emplace();
  Receiving& now = *receiving;
  now.key.session = elsewhere ? session_id(from.calling_reference, from.common_reference, from.additional_reference) : agreement.bound.session;
  now.key.activity = from.old_id;
  const auto stored = host.find_incoming(now.key);
  if (!stored) {
    now.first = true;
    if (from.serial > 0) refuse_transfer(SessionReason::sequence_error);
    return;
  }
  now.serial = from.serial;
  now.bytes = stored->bytes;
  if (stored->completed) {
    now.known = true;
    return;
  }
  if (stored->serial < from.serial) {
    refuse_transfer(SessionReason::sequence_error);
    return;
  }
  actions.emplace_back(ResumeIncoming{now.key, TransferKey{agreement.bound.session, from.id}, from.serial});
}

void Rts::Impl::on(DataArrived&& data) {
  if (!receiving || receiving->refused) return;
  Receiving& now = *receiving;
  auto segment = decode_segment(data.bytes);
  if (!segment) {
    Error why = segment.error();
    why.code = Errc::protocol;
    abort(std::move(why).context("a segment of the peer's transfer").in_stage(Stage::transfer), std::int64_t(AbortReason::protocol_error));
    return;
  }
  if (segment->context != agreement.contexts.rtse) {
    abort(Error(Errc::protocol, "a segment of the peer's transfer is in presentation context " + std::to_string(segment->context) + "; expected " +
                                    std::to_string(agreement.contexts.rtse), Stage::transfer),
          std::int64_t(AbortReason::protocol_error));
    return;
  }
  if (now.known) return;
  const std::uint64_t checkpoint = agreement.bound.checkpoint_size;
  const std::uint64_t longest = checkpoint == 0 ? options.max_segment : checkpoint * 1024 + kSegmentSlack;
  if (now.segment.size() + segment->bytes.size() > longest) {
    abort(Error(Errc::protocol, "the peer sends more than the " + std::to_string(longest) + " bytes that a segment may have", Stage::transfer),
          std::int64_t(AbortReason::protocol_error));
    return;
  }
  if (now.bytes + now.segment.size() + segment->bytes.size() > options.max_transfer) {
    refuse_transfer(SessionReason::unrecoverable_procedure);
    return;
  }
  if (now.segment.empty()) {
    now.segment = std::move(segment->bytes);
  } else {
    now.segment += segment->bytes;
  }
}

/// What came since the last point becomes a segment of the store.
void Rts::Impl::store_segment() {
  Receiving& now = *receiving;
  ++now.serial;
  if (now.known) return;
  now.bytes += now.segment.size();
  traffic.user_in += now.segment.size();
  actions.emplace_back(StoreSegment{now.key, now.serial, std::exchange(now.segment, {}), std::exchange(now.first, false)});
}

void Rts::Impl::on(MinorSyncArrived&& point) {
  if (!receiving || receiving->refused) return;
  store_segment();
  must(session.confirm_minor(point.serial));
}

void Rts::Impl::on(ActivityEnding&&) {
  if (!receiving || receiving->refused) return;
  Receiving& now = *receiving;
  if (!now.known && now.first && now.segment.empty()) {
    refuse_transfer(SessionReason::unrecoverable_procedure);
    return;
  }
  if (!now.segment.empty()) store_segment();
  if (!now.known) {
    actions.emplace_back(TransferComplete{now.key, now.serial});
    ++traffic.received;
  }
  receiving.reset();
  idle_since = clock;
  offered = false;
  must(session.confirm_end());
}

void Rts::Impl::on(ActivityStopping&& stopped) {
  if (receiving && stopped.discard && !receiving->known) actions.emplace_back(DiscardIncoming{receiving->key});
  receiving.reset();
  idle_since = clock;
  must(session.confirm_stop());
}

void Rts::Impl::refuse_transfer(SessionReason reason) {
  receiving->refused = true;
  receiving->segment = std::string();
  must(session.report_exception(reason));
}

}  // namespace longline::x400
