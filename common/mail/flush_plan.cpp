// SPDX-License-Identifier: MIT
#include "mail/flush_plan.hpp"

#include <algorithm>

namespace longline::mail {
namespace {

// "MAIL FROM:<> SIZE=… BODY=8BITMIME", "BDAT … LAST", "RSET"; "RCPT TO:<>".
constexpr std::int64_t kEnvelopeOnTheWire = 70, kRecipient = 14;
// EHLO with a name, QUIT.
constexpr std::int64_t kSession = 40;
// IPv4 and TCP headers of a full segment, and PPP's frame; the three-way handshake and its end.
constexpr std::int64_t kSegment = 1460, kHeaders = 48, kConnection = 240;

}  // namespace

void LineCost::add(const LineCost& other) {
  messages += other.messages;
  bytes += other.bytes;
  wire_bytes += other.wire_bytes;
  round_trips += other.round_trips;
  seconds += other.seconds;
}

void FlushPlan::add(const QueuedMessage& message, std::size_t recipients, std::size_t address_bytes) {
  const std::int64_t there = facts_.resumes ? std::clamp<std::int64_t>(message.bytes_done.value_or(0), 0, message.size) : 0;
  const std::int64_t left = message.size - there;
  const std::int64_t wire = left + kEnvelopeOnTheWire + static_cast<std::int64_t>(message.sender.size() + address_bytes) +
                            kRecipient * static_cast<std::int64_t>(recipients);
  items_.push_back({flush_place(message, now_), left, wire});
}

LineCost FlushPlan::cost_of(std::int64_t messages, std::int64_t bytes, std::int64_t wire) const {
  LineCost cost;
  if (messages == 0) return cost;
  cost.messages = messages;
  cost.bytes = bytes;
  cost.wire_bytes = wire + kSession;
  if (facts_.carries_ip) cost.wire_bytes += kConnection + (cost.wire_bytes + kSegment - 1) / kSegment * kHeaders;
  const std::int64_t window = std::max(facts_.window, 1);
  cost.round_trips = facts_.opening_trips + (messages + window - 1) / window;
  if (facts_.rate > 0) {
    cost.seconds = static_cast<double>(cost.wire_bytes) / static_cast<double>(facts_.rate) +
                   static_cast<double>(cost.round_trips) * static_cast<double>(facts_.round_trip.count()) / 1000.0;
  }
  return cost;
}

LineCost FlushPlan::all() const {
  std::int64_t bytes = 0, wire = 0;
  for (const Item& item : items_) {
    bytes += item.size;
    wire += item.wire;
  }
  return cost_of(static_cast<std::int64_t>(items_.size()), bytes, wire);
}

LineCost FlushPlan::within(Duration time) const {
  std::vector<Item> sorted = items_;
  std::sort(sorted.begin(), sorted.end());
  LineCost best;
  std::int64_t messages = 0, bytes = 0, wire = 0;
  for (const Item& item : sorted) {
    const LineCost with = cost_of(messages + 1, bytes + item.size, wire + item.wire);
    if (with.seconds * 1000.0 > static_cast<double>(time.count())) continue;
    ++messages;
    bytes += item.size;
    wire += item.wire;
    best = with;
  }
  return best;
}

}  // namespace longline::mail
