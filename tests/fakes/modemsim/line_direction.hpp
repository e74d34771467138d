// SPDX-License-Identifier: MIT
// One direction of the telephone line. Bytes that are put in leave one after the other at the line's rate, ten bits each, and
// can be taken half the round trip after they left. What waits to leave is bounded by the sending modem's buffer, what has
// arrived by the receiving one's: a full line shows as room() == 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "instant.hpp"

namespace modemsim {

class LineDirection {
 public:
  // rate in bit/s, 0 for no limit; delay is one way; buffer in bytes, of each modem.
  LineDirection(std::int64_t rate, Duration delay, std::size_t buffer);

  // How many bytes put() takes now.
  std::size_t room(Instant now) const;
  void put(std::string_view bytes, Instant now);

  // At most `most` of the bytes that have arrived.
  std::string take(Instant now, std::size_t most = std::string::npos);
  std::size_t arrived(Instant now) const;
  std::size_t size() const { return queue_.size(); }
  void clear();

  // When more bytes will have arrived. A long stream is handed over every few milliseconds rather than byte by byte.
  Instant next_arrival(Instant now) const;
  // When the last byte of now will have arrived; to be asked only when there are any.
  Instant last_arrival() const;
  // When there will be room, if there is none now. May be early when room depends on take().
  Instant next_room(Instant now) const;

 private:
  // Bytes that leave without a gap; byte i (from 0) has left at start + (i + 1) byte times.
  struct Run {
    Instant start;
    std::int64_t bytes;
    std::int64_t taken = 0;
  };

  Duration byte_times(std::int64_t count) const;
  // How many bytes of the queue have left by `when`.
  std::size_t left_by(Instant when) const;

  std::int64_t rate_;
  Duration delay_;
  std::size_t buffer_;
  std::size_t in_flight_;  // most bytes that are on the way at once
  std::string queue_;
  std::deque<Run> runs_;
  Instant last_take_{0};
};

}  // namespace modemsim
