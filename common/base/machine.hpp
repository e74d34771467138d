// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.hpp"

namespace longline {

/// A protocol without I/O: bytes and time in, actions out. After every input the caller drains next_action() until it
/// is empty, then waits for bytes or for deadline(). on_time() before the deadline does nothing; the same bytes in any
/// chunks give the same actions. After its Finished action a machine ignores everything.
template <class M>
concept Machine = requires(M m, std::string_view in, TimePoint now) {
  m.start(now);
  m.on_bytes(in, now);
  m.on_closed(now);
  m.on_time(now);
  { m.deadline() } -> std::same_as<std::optional<TimePoint>>;
  m.next_action();  // optional<variant<Write, …>>
};

/// The first of a machine's waiting actions, taken out: what next_action() does where they wait in a queue.
template <class Action>
std::optional<Action> take_first(std::deque<Action>& actions) {
  if (actions.empty()) return std::nullopt;
  Action first = std::move(actions.front());
  actions.pop_front();
  return first;
}

/// Bytes for the line. `secret`: they hold a credential; traces show them masked.
struct Write {
  std::string bytes;
  bool secret = false;
  bool operator==(const Write&) const = default;
};

/// Raise or drop Data Terminal Ready (V.24 circuit 108/2).
struct SetDtr {
  bool on = false;
  bool operator==(const SetDtr&) const = default;
};

/// A break condition, 250 ms or longer.
struct SendBreak {
  bool operator==(const SendBreak&) const = default;
};

/// Throw away what the line has received and nobody has read.
struct DiscardInput {
  bool operator==(const DiscardInput&) const = default;
};

enum class Parity { none, odd, even, mark, space };

/// Character framing of the line; what is absent stays as it is.
struct SetFraming {
  std::optional<int> data_bits{};  ///< 5…8
  std::optional<Parity> parity{};
  std::optional<int> stop_bits{};  ///< 1 or 2
  bool operator==(const SetFraming&) const = default;
};

}  // namespace longline
