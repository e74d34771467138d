// SPDX-License-Identifier: MIT
#include <algorithm>

#include "x400/ber_writer.hpp"
#include "x400/presentation.hpp"
#include "x400/rts_impl.hpp"
#include "x400/rtse.hpp"

namespace longline::x400 {
namespace {

constexpr std::uint64_t kUnit = 1024;

std::string activity_id(std::uint32_t number) {
  BerWriter out;
  out.integer(number);
  return out.take();
}

/// How long the transfer may take in this association: an interval that cannot overflow.
Duration time_allowed(const RtsOptions& options, const OutgoingTransfer& transfer) {
  const auto index = static_cast<std::size_t>(transfer.priority) - 1;
  const auto units = static_cast<std::int64_t>(std::min<std::uint64_t>((transfer.size + kUnit - 1) / kUnit, 1u << 22));
  return options.timeout_per_k[std::min<std::size_t>(index, 2)] * units;
}

Error exception_error(const ExceptionReported& exception) {
  std::string what = exception.by_provider ? "the session protocol reports an exception" : "the peer cannot take the transfer";
  Errc code = Errc::protocol;
  if (exception.reason) {
    switch (*exception.reason) {
      case SessionReason::receiving_jeopardized:
        what += ": its ability to receive is in danger";
        code = Errc::busy;
        break;
      case SessionReason::sequence_error: what += ": it does not have what the transfer goes on from"; break;
      case SessionReason::local_user_error: what += ": a problem of its own"; break;
      case SessionReason::unrecoverable_procedure: what += ": it cannot go on"; break;
      case SessionReason::demand_data_token: what += ": it wants the turn"; break;
      case SessionReason::unspecified: what += " and gives no reason"; break;
    }
  }
  return Error(code, std::move(what), Stage::transfer);
}

}  // namespace

std::uint64_t Rts::Impl::confirmed_bytes(const Sending& one, std::uint32_t serial) const {
  return std::min(one.transfer.size, serial * kUnit * one.progress.checkpoint_size);
}

/// Starts it, or goes on with it where this is possible.
bool Rts::Impl::begin(Sending&& chosen) {
  sending = std::move(chosen);
  Sending& now = *sending;
  const SessionId& here = agreement.bound.session;
  const std::uint32_t agreed = agreement.bound.checkpoint_size;
  const std::string id = activity_id(++activities);
  now.due = clock + time_allowed(options, now.transfer);
  now.failed.reset();
  now.ending = now.discard = now.give_up = false;
  progress();

  auto& before = now.transfer.progress;
  // Segments of another size than was agreed on now would not be what the peer counts with: larger ones it may refuse.
  if (before && (before->checkpoint_size > agreed || (before->checkpoint_size == 0) != (agreed == 0))) before.reset();
  now.resumed = before.has_value();
  now.progress = before ? *before : OutgoingProgress{TransferKey{here, id}, here, agreed, 0};
  now.progress.latest = here;
  now.serial = now.progress.serial;
  now.offset = confirmed_bytes(now, now.serial);
  before = now.progress;
  actions.emplace_back(TransferStarted{now.transfer.id, now.progress});
  if (!now.resumed) return must(session.start_activity(id));
  Resumption from;
  from.id = id;
  from.old_id = now.progress.key.activity;
  from.serial = now.serial;
  if (now.progress.key.session != here) {
    from.calling_reference = now.progress.key.session.calling;
    from.common_reference = now.progress.key.session.common;
    from.additional_reference = now.progress.key.session.additional;
  }
  return must(session.resume_activity(from));
}

Result<std::string> Rts::Impl::read_segment(std::size_t size) {
  std::string segment;
  while (segment.size() < size) {
    LONGLINE_TRY(const std::string piece, host.read(sending->transfer.id, sending->offset + segment.size(), size - segment.size()));
    if (piece.empty() || piece.size() > size - segment.size()) {
      return Error(Errc::software, "the transfer's data are " + std::string(piece.empty() ? "shorter" : "longer") + " than was said", Stage::transfer);
    }
    segment += piece;
  }
  return segment;
}

/// Writes the next segment, with the point behind it or the end. False when it has to wait.
bool Rts::Impl::send_step() {
  Sending& now = *sending;
  if (now.failed || now.ending || free == 0) return false;
  const std::uint32_t checkpoint = now.progress.checkpoint_size;
  if (checkpoint != 0 && now.serial - now.progress.serial >= agreement.bound.window) return false;
  const std::uint64_t left = now.transfer.size - std::min(now.offset, now.transfer.size);
  const auto size = static_cast<std::size_t>(checkpoint == 0 ? left : std::min(left, kUnit * checkpoint));
  auto segment = read_segment(size);
  if (!segment) {
    stop_sending(segment.error(), false, true);
    return true;
  }
  if (size > 0 && !must(session.send_data(encode_segment(agreement.contexts.rtse, *segment)))) return true;
  now.offset += size;
  traffic.user_out += size;
  const bool last = now.offset >= now.transfer.size;
  const auto point = last ? session.end_activity() : session.minor_sync();
  if (!point) {
    abort(point.error(), std::int64_t(AbortReason::local_system_problem));
    return true;
  }
  now.serial = *point;
  now.ending = last;
  return true;
}

void Rts::Impl::on(MinorSyncConfirmed&& confirmed) {
  if (!sending || sending->failed) return;
  Sending& now = *sending;
  now.resumed = false;
  now.progress.serial = confirmed.serial;
  now.transfer.progress = now.progress;
  actions.emplace_back(TransferConfirmed{now.transfer.id, confirmed.serial, confirmed_bytes(now, confirmed.serial)});
}

void Rts::Impl::on(ActivityEndConfirmed&&) {
  if (!sending) return;
  actions.emplace_back(TransferSent{sending->transfer.id});
  sending.reset();
  ++traffic.sent;
  ++served;
  source_dry = false;
  offered = false;
  idle_since = clock;
}

void Rts::Impl::on(ExceptionReported&& exception) {
  if (!sending) return;
  const bool discard = exception.reason == SessionReason::sequence_error || exception.reason == SessionReason::unrecoverable_procedure;
  stop_sending(exception_error(exception), discard, false);
}

void Rts::Impl::stop_sending(Error why, bool discard, bool give_up) {
  sending->failed = std::move(why);
  sending->discard = discard;
  sending->give_up = give_up;
  progress();
  must(session.stop_activity(discard, give_up ? std::optional(SessionReason::local_user_error) : std::nullopt));
}

void Rts::Impl::on(ActivityStopConfirmed&&) {
  if (!sending) return;
  Sending stopped = std::move(*sending);
  sending.reset();
  idle_since = clock;
  if (stopped.discard) stopped.transfer.progress.reset();
  if (stopped.give_up || ++stopped.retries > options.max_transfer_retries) {
    actions.emplace_back(TransferFailed{stopped.transfer.id, *stopped.failed, !stopped.discard});
    return;
  }
  // What could not go on starts anew at once; what failed otherwise waits for the reason to pass.
  stopped.due = stopped.discard && stopped.resumed ? clock : clock + options.transfer_interval;
  again.push_back(std::move(stopped));
}

void Rts::Impl::give_back(Sending&& one, const Error& why) {
  const bool under_way = sending && &one == &*sending;
  if (under_way && peer_aborts && peer_reason == std::int64_t(AbortReason::transfer_completed)) {
    actions.emplace_back(TransferSent{one.transfer.id});
    ++traffic.sent;
    return;
  }
  // A peer that answers the attempt to go on by an abort does not know the transfer, whatever reason it gives: the next attempt starts anew.
  const bool unknown = under_way && peer_aborts && (one.resumed || peer_reason == std::int64_t(AbortReason::unrecognized_activity));
  actions.emplace_back(TransferFailed{one.transfer.id, one.failed ? *one.failed : why, !unknown && !(one.failed && one.discard)});
}

}  // namespace longline::x400
