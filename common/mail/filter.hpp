// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/connector_choice.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

/// Which messages of a queue are meant: the FILTER of mtaq(1). All that is given must hold; one recipient must satisfy all
/// that is said about recipients, and of those who still wait if any does.
struct Filter {
  std::optional<Duration> older{};
  std::optional<Duration> younger{};
  std::optional<std::int64_t> larger{};    ///< bytes
  std::optional<std::int64_t> smaller{};
  std::string sender;                      ///< glob; "<>" is the null sender
  std::string recipient;                   ///< glob
  std::string domain;                      ///< glob, of a recipient
  std::string connector;
  std::string link;
  std::optional<MessageState> state{};
  std::string reason;                      ///< a class's name, or words of a reason (glob when it holds * or ?)
  bool empty() const;
};

bool matches(const Filter& filter, const QueuedMessage& message, ConnectorChoice& choice, WallTime now);
/// Those of a message that matches who wait, and of whom all holds that is said about recipients.
std::vector<std::string> waiting_recipients(const Filter& filter, const QueuedMessage& message, ConnectorChoice& choice);

/// '*' is any text, '?' one character of UTF-8 or one byte that is not UTF-8; ASCII case is ignored.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace longline::mail
