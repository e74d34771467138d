// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>

#include "base/time.hpp"
#include "script/action.hpp"
#include "script/chat/text.hpp"

namespace longline::script::chat {

/// Sends one Sending: bytes at once, or with a pause between two; pauses and breaks where they stand.
class Sender {
 public:
  explicit Sender(Duration pace) : pace_(pace) {}

  /// `limit`: no byte is begun that much later. nullopt: none.
  void start(const Sending& what, std::optional<Duration> limit, TimePoint now);

  enum class State { acted, waits, too_late, done };
  /// The next thing to do goes to `out`. Call again until it waits or ends.
  State next(std::deque<Action>& out, TimePoint now);
  /// While it waits: for what; else when it will be too late.
  std::optional<TimePoint> deadline() const { return waits_until_ ? waits_until_ : ends_; }
  bool is_late(TimePoint now) const { return !waits_until_ && ends_ && now >= *ends_; }

 private:
  State write(std::string& text, std::deque<Action>& out, TimePoint now);

  Duration pace_;
  std::deque<Piece> pieces_;
  bool secret_ = false;
  bool paced_ = false;   ///< the pause before the next byte is over
  std::optional<TimePoint> ends_;
  std::optional<TimePoint> waits_until_;
};

}  // namespace longline::script::chat
