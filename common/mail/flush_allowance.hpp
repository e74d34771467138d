// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "base/time.hpp"

namespace longline::mail {

/// How much a flush may still begin: a number of bytes of messages, and what can be through before its time is over, at the rate that the
/// line is known to have, or shows.
class FlushAllowance {
 public:
  /// `end`: of the time that was given; absent: no limit.
  FlushAllowance(std::optional<std::int64_t> max_bytes, std::optional<TimePoint> end) : max_bytes_(max_bytes), end_(end) {}

  /// A session begins; what is known of its line: bytes a second (0: not known) and a round trip.
  void start_session(std::int64_t rate, Duration round_trip, TimePoint now);
  /// So many bytes have left for the line in this session. From 32 kB on the rate that they had is what counts.
  void on_progress(std::uint64_t bytes_out, TimePoint now);

  /// So many bytes were answered in this session, so many a second. Counts as long as nothing else says how fast the line is: what has only
  /// left may lie in the buffers on the way.
  void on_answers(std::uint64_t bytes, std::int64_t rate);

  /// Why a message of this size must not be begun now: deadline, or messages_left (the bytes). nullopt: it may.
  std::optional<Error> refusal(std::int64_t size, TimePoint now) const;
  /// It is begun.
  void begin(std::int64_t size);

  std::int64_t rate() const { return rate_; }

 private:
  std::optional<std::int64_t> max_bytes_;
  std::optional<TimePoint> end_;
  std::int64_t begun_ = 0;                 // in this flush
  std::int64_t rate_ = 0;
  Duration round_trip_{};
  TimePoint session_began_{};
  std::int64_t begun_before_session_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t answered_ = 0;
  std::int64_t answered_rate_ = 0;
};

}  // namespace longline::mail
