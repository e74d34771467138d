// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "x400/session.hpp"

namespace longline::x400::test {

TimePoint at(std::int64_t milliseconds);
SessionOptions calling();
SessionOptions called();
ConnectRequest request();

/// "data abc", "point 3", "turn", "finished ours: …": an action in a line; "" for a Write.
std::string describe(const SessionAction& action);

/// A session, the bytes it wrote, what it said, and a user that acts on what it says.
class Side {
 public:
  using User = std::function<void(Side&, const SessionAction&)>;

  explicit Side(SessionOptions options, User user = confirm_all);
  /// Starts the session, with a CN where it is the initiator.
  void start();
  void hear(std::string_view bytes);
  void end();
  void wait_until(TimePoint now);
  void drain();
  /// What was written since the last time.
  std::string take() { return std::exchange(pending, {}); }
  /// log[from …], joined with " | "
  std::string said(std::size_t from = 0) const;

  /// Accepts the session and confirms everything at once.
  static void confirm_all(Side& side, const SessionAction& action);

  Session session;
  User user;
  TimePoint now = at(0);
  bool initiator;
  std::string written;                    ///< all of it
  std::string pending;                    ///< of it what take() has not given yet
  std::vector<std::string> log;
  std::optional<SessionFinished> finished;
};

/// Hands over what both write, until both are silent.
void pump(Side& a, Side& b);

/// An initiator that sends an activity of three pieces, gives the turn, and releases when it comes back.
void send_one_activity(Side& side, const SessionAction& action);
/// Its responder: confirms, sends an activity of its own when it has the turn, and gives the turn back.
void answer_one_activity(Side& side, const SessionAction& action);

}  // namespace longline::x400::test
