// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "mail/flush_order.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

/// What a session with one peer costs on its line, as far as it is known.
struct LineFacts {
  std::int64_t rate = 0;       ///< bytes a second; 0: not known
  Duration round_trip{};
  int window = 1;              ///< messages that share a round trip
  bool carries_ip = true;      ///< TCP/IP comes on top
  int opening_trips = 3;       ///< from nothing to MAIL
  bool resumes = false;        ///< what the peer has of a message does not go again
};

/// How much: bytes and round trips, and with a rate the time that they take.
struct LineCost {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;        ///< of the messages
  std::int64_t wire_bytes = 0;   ///< with envelopes, commands and headers of the line
  std::int64_t round_trips = 0;
  double seconds = 0;
  void add(const LineCost& other);
};

/// The messages of one peer in the order in which a flush sends them, and what they cost.
class FlushPlan {
 public:
  FlushPlan(LineFacts facts, WallTime now) : facts_(facts), now_(now) {}
  /// `recipients`: those of the message that this peer serves.
  void add(const QueuedMessage& message, std::size_t recipients, std::size_t address_bytes);
  LineCost all() const;
  /// What can be sent within this time: what cannot be through is passed over, as a flush does.
  LineCost within(Duration time) const;

 private:
  struct Item {
    FlushPlace place;
    std::int64_t size = 0, wire = 0;
    bool operator<(const Item& other) const { return place < other.place; }
  };
  LineCost cost_of(std::int64_t messages, std::int64_t bytes, std::int64_t wire) const;
  LineFacts facts_;
  WallTime now_;
  std::vector<Item> items_;
};

}  // namespace longline::mail
