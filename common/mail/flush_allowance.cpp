// SPDX-License-Identifier: MIT
#include "mail/flush_allowance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

// Below it the bytes may only have filled the buffers on the way.
constexpr std::uint64_t kMeasurable = 32'768;
// Envelope and replies.
constexpr std::int64_t kEnvelopeAllowance = 200;

}  // namespace

void FlushAllowance::start_session(std::int64_t rate, Duration round_trip, TimePoint now) {
  rate_ = rate;
  round_trip_ = round_trip;
  session_began_ = now;
  begun_before_session_ = begun_;
  bytes_out_ = answered_ = 0;
  answered_rate_ = 0;
}

void FlushAllowance::on_answers(std::uint64_t bytes, std::int64_t rate) {
  answered_ = bytes;
  answered_rate_ = rate;
}

void FlushAllowance::on_progress(std::uint64_t bytes_out, TimePoint now) {
  bytes_out_ = bytes_out;
  if (bytes_out < kMeasurable) return;
  const std::int64_t ms = std::max<std::int64_t>((now - session_began_).count(), 1);
  rate_ = std::max<std::int64_t>(static_cast<std::int64_t>(bytes_out) * 1000 / ms, 1);
}

std::optional<Error> FlushAllowance::refusal(std::int64_t size, TimePoint now) const {
  if (max_bytes_ && begun_ + size > *max_bytes_) {
    return Error(Errc::messages_left, fmt::format("with its {} the limit of {} would be passed", format_size(size), format_size(*max_bytes_)),
                 Stage::transfer);
  }
  if (!end_) return std::nullopt;
  if (now >= *end_) return Error(Errc::deadline, "the time ran out", Stage::transfer);
  const std::int64_t rate = rate_ > 0 ? rate_ : answered_rate_;
  if (rate <= 0) return std::nullopt;
  // What was begun before it leaves first.
  const std::int64_t waiting = std::max<std::int64_t>(begun_ - begun_before_session_ - static_cast<std::int64_t>(rate_ > 0 ? bytes_out_ : answered_), 0);
  const Duration needed(static_cast<std::int64_t>(static_cast<double>(waiting + size + kEnvelopeAllowance) * 1000.0 / static_cast<double>(rate)));
  if (now + needed + round_trip_ <= *end_) return std::nullopt;
  return Error(Errc::deadline,
               fmt::format("its {} need {} at {}/s, which is more than is left", format_size(size),
                           format_duration(std::max(Duration(needed.count() / 1000 * 1000), Duration(1'000))), format_size(rate)),
               Stage::transfer);
}

void FlushAllowance::begin(std::int64_t size) { begun_ += size; }

}  // namespace longline::mail
