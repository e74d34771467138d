// SPDX-License-Identifier: MIT
#include <algorithm>

#include "x400/acse.hpp"
#include "x400/presentation.hpp"
#include "x400/rts_impl.hpp"
#include "x400/rtse.hpp"

namespace longline::x400 {
namespace {

/// How many transfers may go before a peer that asked gets the turn; one that has more urgent ones gets it at once.
constexpr int kTransfersATurn = 16;
/// A peer that was offered the turn has this long to use it, or to give it back.
constexpr Duration kTimeToUseTurn = std::chrono::seconds(30);
constexpr std::int64_t kTurnToRelease = 0;

std::int64_t priority_of(std::string_view user_data, std::int64_t absent) {
  const auto values = decode_user_data(user_data);
  const auto priority = decode_turn_priority(values ? std::string_view(values->front().value) : user_data);
  return priority.value_or(absent);
}

}  // namespace

void Rts::Impl::on(TurnAsked&& asked) {
  peer_asked = priority_of(asked.user_data, std::int64_t(TransferPriority::normal));
  served = 0;
}

void Rts::Impl::on(TurnGiven&&) {
  we_asked = false;
  source_dry = false;
  idle_since = clock;
}

bool Rts::Impl::fetch() {
  if (stopping) return false;
  if (next) return true;
  const auto due = std::find_if(again.begin(), again.end(), [this](const Sending& one) { return one.due <= clock; });
  if (due != again.end()) {
    next = std::move(*due);
    again.erase(due);
    return true;
  }
  if (source_dry) return false;
  if (!options.initiator && !agreement.bound.two_way) return false;
  auto found = host.next_transfer();
  if (!found) {
    source_dry = true;
    return false;
  }
  next.emplace();
  next->transfer = std::move(*found);
  return true;
}

/// We have the turn, and nothing is under way.
bool Rts::Impl::start_next() {
  if (!fetch() || !may_keep_turn()) return false;
  Sending chosen = std::move(*next);
  next.reset();
  begin(std::move(chosen));
  return true;
}

bool Rts::Impl::may_keep_turn() const {
  if (!peer_asked) return true;
  return next && static_cast<std::int64_t>(next->transfer.priority) <= *peer_asked && served < kTransfersATurn;
}

bool Rts::Impl::ask_turn() {
  if (we_asked || !agreement.bound.two_way || !fetch()) return false;
  const auto priority = static_cast<std::int64_t>(next->transfer.priority);
  we_asked = true;
  return must(session.ask_turn(encode_user_data({{agreement.contexts.rtse, encode_turn_priority(priority)}})));
}

/// To a peer that asked, or where the responder has nothing for it.
bool Rts::Impl::give_turn() {
  if (!agreement.bound.two_way || (stopping && options.initiator)) return false;
  if (peer_asked ? may_keep_turn() : options.initiator || next) return false;
  peer_asked.reset();
  served = 0;
  we_asked = false;
  idle_since = clock;
  return must(session.give_turn());
}

std::optional<TimePoint> Rts::Impl::idle_deadline() const {
  // A responder leaves it to the initiator to release.
  if (!options.initiator) return stopping ? idle_since : idle_since + options.silence;
  if (asked_to_end) return idle_since + options.disconnect;
  if (stopping || (offered && has_turn())) return idle_since;
  return idle_since + (has_turn() ? options.lifetime : std::max(options.lifetime, kTimeToUseTurn));
}

/// Nothing is under way, and nothing waits that could go now.
bool Rts::Impl::end_when_idle() {
  const auto due = idle_deadline();
  if (clock < *due) return false;
  if (!options.initiator) {
    abort(Error(Errc::idle_timeout, stopping ? "we take no more" : "the peer neither sent anything nor released the association", Stage::transfer),
          std::int64_t(AbortReason::temporary_problem));
    return true;
  }
  if (has_turn()) {
    // A peer that did not ask may have something all the same: it is asked once.
    if (agreement.bound.two_way && !offered && !stopping) {
      offered = true;
      idle_since = clock;
      return must(session.give_turn());
    }
    release();
    return true;
  }
  if (!agreement.bound.two_way) return false;
  if (!asked_to_end) {
    asked_to_end = true;
    idle_since = clock;
    return must(session.ask_turn(encode_user_data({{agreement.contexts.rtse, encode_turn_priority(kTurnToRelease)}})));
  }
  phase = Phase::releasing;
  if (!session.abort({}, clock)) finish(std::nullopt);
  return true;
}

void Rts::Impl::release() {
  phase = Phase::releasing;
  must(session.release(encode_user_data({{agreement.contexts.acse, encode_acse(ReleaseRequest{})}}), clock));
}

}  // namespace longline::x400
