// SPDX-License-Identifier: MIT
#include "x400/rts.hpp"

#include <algorithm>

#include "x400/acse.hpp"
#include "x400/presentation.hpp"
#include "x400/rts_impl.hpp"
#include "x400/rtse.hpp"

namespace longline::x400 {
namespace {

/// Nobody sends slower than that over a telephone.
constexpr Duration kByteTime = Duration(100);
constexpr Duration kOutgoingByteTime = Duration(10);
/// What a segment's SPDU may have beside its checkpoint.
constexpr std::uint64_t kSegmentOverhead = 4096;

SessionOptions session_options(const RtsOptions& options) {
  SessionOptions out;
  out.transport.initiator = options.initiator;
  out.transport.calling_selector = options.calling_selector;
  out.transport.called_selector = options.called_selector;
  out.transport.longest_tsdu = options.max_segment + kSegmentOverhead;
  out.transport.opening = options.opening;
  out.longest_ssdu = options.max_segment + kSegmentOverhead;
  out.opening = options.opening;
  out.release = options.disconnect;
  return out;
}

std::string abort_data(const Contexts& contexts, std::int64_t reason) {
  AbortPpdu abort;
  abort.user_data = {{contexts.acse, encode_acse(AssociationAbort{false, AssociationData{contexts.rtse, encode_transfer_abort({reason})}})}};
  return encode_abort(abort);
}

/// RTAB's reason in an abort's user data.
std::optional<std::int64_t> abort_reason(std::string_view user_data) {
  const auto ppdu = decode_abort(user_data);
  if (!ppdu || ppdu->by_provider) return std::nullopt;
  if (ppdu->reason) return ppdu->reason;
  for (const Pdv& value : ppdu->user_data) {
    const auto apdu = decode_acse(value.value);
    const auto* abort = apdu ? std::get_if<AssociationAbort>(&*apdu) : nullptr;
    if (!abort || !abort->data) continue;
    const auto transfer = decode_transfer_abort(abort->data->value);
    if (transfer) return transfer->reason;
  }
  return std::nullopt;
}

Error peer_aborted(std::optional<std::int64_t> reason) {
  const bool lasting = reason == std::int64_t(AbortReason::invalid_parameter) || reason == std::int64_t(AbortReason::protocol_error) ||
                       reason == std::int64_t(AbortReason::permanent_problem);
  std::string what = "the peer aborted the association";
  if (reason) what += ": " + std::string(abort_reason_text(*reason));
  return Error(lasting ? Errc::protocol : Errc::line_dropped, std::move(what), Stage::transfer);
}

}  // namespace

Rts::Impl::Impl(RtsOptions o, RtsHost& h) : options(std::move(o)), host(h), session(session_options(options)) {}

void Rts::Impl::start(TimePoint now) {
  if (phase != Phase::idle) return;
  clock = last_progress = whole_since = idle_since = now;
  phase = Phase::opening;
  if (options.initiator) {
    const ConnectRequest request = connect_request(options);
    agreement.bound.session = session_id(request.references.user, request.references.common, request.references.additional);
    if (!must(session.connect(request))) return;
  }
  session.start(now);
}

std::optional<RtsAction> Rts::Impl::next_action() {
  while (true) {
    if (auto action = take_first(actions)) return action;
    if (phase == Phase::finished || phase == Phase::idle) return std::nullopt;
    if (auto action = session.next_action()) {
      take(std::move(*action));
    } else if (!pump()) {
      return std::nullopt;
    }
  }
}

void Rts::Impl::take(SessionAction&& action) {
  if (!std::holds_alternative<Write>(action)) {
    progress();
    whole_since = clock;
  }
  std::visit([this](auto&& one) { on(std::forward<decltype(one)>(one)); }, std::move(action));
}

void Rts::Impl::on(Write&& write) {
  traffic.bytes_out += write.bytes.size();
  free -= std::min(free, write.bytes.size());
  actions.emplace_back(std::move(write));
}

void Rts::Impl::on(SessionConnected&& connected) {
  if (options.initiator) {
    auto judged = judge_accept(options, connected.user_data);
    if (auto* refusal = std::get_if<Refusal>(&judged)) {
      recovery_refused = refusal->recovery_refused;
      abort(std::move(refusal->error), std::int64_t(AbortReason::invalid_parameter));
      return;
    }
    auto& stands = std::get<Agreement>(judged);
    stands.bound.session = agreement.bound.session;
    bind(std::move(stands));
    return;
  }
  auto judged = judge_request(host, connected);
  if (auto* refusal = std::get_if<Refusal>(&judged)) {
    refuse(std::move(*refusal));
    return;
  }
  auto& acceptance = std::get<Acceptance>(judged);
  bind(std::move(acceptance.agreement));
  must(session.accept({}, std::move(acceptance.user_data), acceptance.secret));
}

void Rts::Impl::bind(Agreement&& stands) {
  agreement = std::move(stands);
  phase = Phase::running;
  bound = true;
  idle_since = clock;
  actions.emplace_back(agreement.bound);
}

void Rts::Impl::refuse(Refusal&& refusal) {
  phase = Phase::ending;
  error = std::move(refusal.error);
  recovery_refused = refusal.recovery_refused;
  if (!session.refuse(refusal.reason, std::move(refusal.user_data), clock)) finish(error);
}

void Rts::Impl::on(ReleaseAsked&&) {
  const std::string answer = encode_user_data({{agreement.contexts.acse, encode_acse(ReleaseResponse{})}});
  phase = Phase::releasing;
  must(session.confirm_release(answer, clock));
}

void Rts::Impl::on(SessionFinished&& end) {
  if (phase == Phase::opening && end.end == SessionEnd::refused && options.initiator) {
    Refusal refusal = judge_refusal(options, end);
    recovery_refused = refusal.recovery_refused;
    finish(std::move(refusal.error));
    return;
  }
  if (phase == Phase::ending) {
    finish(error);
    return;
  }
  if (end.end == SessionEnd::released || phase == Phase::releasing) {
    finish(std::nullopt);
    return;
  }
  if (end.end == SessionEnd::user_abort) {
    const auto reason = abort_reason(end.user_data);
    peer_aborts = true;
    peer_reason = reason;
    if (phase == Phase::opening) recovery_refused = options.recover.has_value() && options.initiator;
    finish(peer_aborted(reason));
    return;
  }
  finish(end.error ? end.error : Error(Errc::line_dropped, "the session ended", Stage::transfer));
}

void Rts::Impl::abort(Error why, std::int64_t reason) {
  if (phase == Phase::finished || phase == Phase::ending) return;
  phase = Phase::ending;
  error = std::move(why);
  if (!session.abort(abort_data(agreement.contexts, reason), clock)) finish(error);
}

bool Rts::Impl::must(const Result<void>& done) {
  if (done) return true;
  abort(done.error(), std::int64_t(AbortReason::local_system_problem));
  return false;
}

void Rts::Impl::finish(std::optional<Error> why) {
  if (phase == Phase::finished) return;
  phase = Phase::finished;
  const Error end = why ? *why : Error(Errc::messages_left, "the association was released before", Stage::transfer);
  if (sending) give_back(std::move(*sending), end);
  for (Sending& one : again) give_back(std::move(one), one.failed ? *one.failed : end);
  if (next) give_back(std::move(*next), end);
  actions.emplace_back(RtsFinished{std::move(why), bound, recovery_refused, traffic});
}

bool Rts::Impl::pump() {
  if (phase != Phase::running) return false;
  const std::uint64_t checkpoint = agreement.bound.checkpoint_size;
  const std::uint64_t longest = (checkpoint == 0 ? options.max_segment : checkpoint * 1024 + kSegmentSlack) + kSegmentOverhead;
  if (session.pending() > longest) {
    abort(Error(Errc::protocol, "the peer sends more in one piece than the " + std::to_string(longest) + " bytes that it may have", Stage::transfer),
          std::int64_t(AbortReason::protocol_error));
    return true;
  }
  if (sending) return send_step();
  if (receiving) return !has_turn() && ask_turn();
  if (has_turn()) return start_next() || give_turn() || end_when_idle();
  return ask_turn() || end_when_idle();
}

std::optional<TimePoint> Rts::Impl::patience() const {
  if (phase == Phase::idle || phase == Phase::finished) return std::nullopt;
  std::optional<TimePoint> latest;
  if (session.pending() > 0) latest = whole_since + options.piece + kByteTime * static_cast<std::int64_t>(session.pending());
  if (phase == Phase::running && is_busy()) {
    // What is written may lie in buffers of the system, in front of a line that carries a hundred bytes a second.
    const std::uint64_t ahead = sending ? std::min<std::uint64_t>(sending->offset - confirmed_bytes(*sending, sending->progress.serial), 1u << 30) : 0;
    const TimePoint silence = last_progress + options.acknowledgement + kOutgoingByteTime * static_cast<std::int64_t>(ahead);
    if (!latest || silence < *latest) latest = silence;
  }
  return latest;
}

std::optional<TimePoint> Rts::Impl::deadline() const {
  std::optional<TimePoint> first = session.deadline();
  const auto earlier = [&first](std::optional<TimePoint> other) {
    if (other && (!first || *other < *first)) first = other;
  };
  if (phase == Phase::idle || phase == Phase::finished) return std::nullopt;
  earlier(patience());
  if (phase != Phase::running) return first;
  if (sending && !sending->failed) earlier(sending->due);
  if (!is_busy()) {
    earlier(idle_deadline());
    for (const Sending& one : again) {
      if (one.due > clock) earlier(one.due);
    }
  }
  return first;
}

void Rts::Impl::on_time() {
  if (phase == Phase::idle || phase == Phase::finished) return;
  session.on_time(clock);
  if (const auto latest = patience(); latest && clock >= *latest) {
    const std::string what = session.pending() > 0 ? "the peer does not get on with what it sends"
                             : sending            ? "the peer has acknowledged nothing for " + format_duration(options.acknowledgement)
                                                  : "the peer has sent nothing of its transfer for " + format_duration(options.acknowledgement);
    abort(Error(Errc::deadline, what, Stage::transfer), std::int64_t(AbortReason::temporary_problem));
    return;
  }
  if (phase == Phase::running && sending && !sending->failed && clock >= sending->due) {
    stop_sending(Error(Errc::deadline, "the transfer took longer than its size allows", Stage::transfer), false, true);
  }
}

Rts::Rts(RtsOptions options, RtsHost& host) : impl_(std::make_unique<Impl>(std::move(options), host)) {}
Rts::Rts(Rts&&) noexcept = default;
Rts::~Rts() = default;

void Rts::start(TimePoint now) { impl_->start(now); }

void Rts::on_bytes(std::string_view in, TimePoint now) {
  if (in.empty() || impl_->phase == Impl::Phase::finished) return;
  impl_->clock = now;
  impl_->traffic.bytes_in += in.size();
  if (impl_->session.pending() == 0) impl_->whole_since = now;
  // What is left of a piece that does not end is watched by patience(); bytes that come count as progress of the peer's own transfer.
  if (impl_->receiving) impl_->progress();
  impl_->session.on_bytes(in, now);
}

void Rts::on_closed(TimePoint now) {
  impl_->clock = now;
  impl_->session.on_closed(now);
}

void Rts::on_time(TimePoint now) {
  if (const auto due = deadline(); !due || now < *due) return;
  impl_->clock = now;
  impl_->on_time();
}

void Rts::on_writable(std::size_t free, TimePoint now) {
  impl_->clock = now;
  if (free > impl_->free) impl_->progress();
  impl_->free = free;
}

void Rts::wake(TimePoint now) {
  impl_->clock = now;
  impl_->source_dry = false;
}

void Rts::stop(TimePoint now) {
  impl_->clock = now;
  impl_->stopping = true;
}

void Rts::fail(Error why, TimePoint now) {
  impl_->clock = now;
  if (impl_->phase == Impl::Phase::finished) return;
  impl_->actions.clear();
  impl_->finish(std::move(why));
}

std::optional<TimePoint> Rts::deadline() const { return impl_->deadline(); }
std::optional<RtsAction> Rts::next_action() { return impl_->next_action(); }
RtsTraffic Rts::traffic() const { return impl_->traffic; }

}  // namespace longline::x400
