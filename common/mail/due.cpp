// SPDX-License-Identifier: MIT
#include "mail/due.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "config/hours.hpp"

namespace longline::mail {
namespace {

std::string count(std::int64_t n, std::string_view noun) { return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s"); }

}  // namespace

JsonObject to_json(const DueLink& due) {
  JsonObject out;
  out.set("link", due.link).set("messages", due.messages).set("bytes", due.bytes);
  out.set("oldest", due.oldest ? std::optional<std::string>(format_iso8601(*due.oldest)) : std::nullopt);
  out.set("urgent", due.urgent).set("retrieve", due.retrieve).set("reasons", due.reasons);
  return out;
}

void DueReport::Waiting::add(const Waiting& other) {
  messages += other.messages;
  bytes += other.bytes;
  urgent += other.urgent;
  if (other.oldest && (!oldest || *other.oldest < *oldest)) oldest = other.oldest;
}

DueReport::DueReport(const config::Config& config, ConnectorStates states, config::DueTriggers triggers, WallTime now, LocalClock clock)
    : config_(config), states_(std::move(states)), triggers_(triggers), now_(now), clock_(std::move(clock)), local_now_(clock_(now)),
      choice_(config, states_, now) {}

bool DueReport::rests(const config::Connector& connector, std::string_view domain) const {
  const auto state = states_.find(state_key(connector, domain));
  return state != states_.end() && is_resting(state->second, connector, now_);
}

void DueReport::add(const QueuedMessage& message) {
  std::set<const config::Connector*> connectors;
  for (const Recipient& recipient : message.recipients) {
    // Postfix puts off what waits for a link again and again: its own next attempt says nothing about a call.
    if (message.foreign ? message.state == MessageState::held || recipient.finished() : !is_due(message, recipient, now_)) continue;
    const config::Connector* connector = choice_.choose(recipient.address).connector;
    if (connector == nullptr || connector->link.empty() || connectors.contains(connector)) continue;
    if (!config::within_hours(connector->hours, local_now_)) continue;
    // What is too large is refused without a call, by the next flush that has the line anyway. Of another mail system's mail only the link
    // is ours.
    const bool stays = why_too_large(*connector, message.size) || rests(*connector, domain_of(recipient.address));
    if (stays && !message.foreign) continue;
    connectors.insert(connector);
  }
  for (const config::Connector* connector : connectors) {
    waiting_[connector].add({1, message.size, message.priority >= kUrgent ? 1 : 0, std::min(message.arrived, now_)});
  }
}

std::vector<std::string> DueReport::reasons(const config::DueTriggers& triggers, const Waiting& waiting) const {
  std::vector<std::string> out;
  if (waiting.messages == 0) return out;
  if (triggers.empty()) return {count(waiting.messages, "message")};
  if (triggers.messages && waiting.messages >= *triggers.messages) out.push_back(count(waiting.messages, "message"));
  if (triggers.bytes && waiting.bytes >= *triggers.bytes) out.push_back(format_size(waiting.bytes));
  if (triggers.oldest && now_ - *waiting.oldest >= *triggers.oldest) {
    const Duration age = now_ - *waiting.oldest;
    out.push_back(fmt::format("oldest {}", format_duration(age >= Duration(60'000) ? age / 60'000 * 60'000 : age / 1000 * 1000)));
  }
  if (triggers.urgent && waiting.urgent > 0) out.push_back(count(waiting.urgent, "urgent message"));
  return out;
}

bool DueReport::retrieval_due(const config::Connector& connector) const {
  if (!connector.retrieve || !config::within_hours(connector.hours, local_now_) || rests(connector, "")) return false;
  const auto state = states_.find(connector.name);
  if (state == states_.end() || !state->second.retrieved) return true;
  // A time in the future: the clock was wrong then.
  return *state->second.retrieved > now_ || now_ - *state->second.retrieved >= connector.retrieve->every;
}

std::vector<DueLink> DueReport::links() const {
  std::vector<DueLink> out;
  for (const config::Link& link : config_.links) {
    DueLink due;
    due.link = link.name;
    Waiting all;
    for (const config::Connector& connector : config_.connectors) {
      if (connector.link != link.name) continue;
      if (retrieval_due(connector)) {
        due.retrieve = true;
        due.reasons.push_back("retrieval by connector " + connector.name);
      }
      const auto found = waiting_.find(&connector);
      if (found == waiting_.end()) continue;
      all.add(found->second);
      if (!triggers_.empty()) continue;
      for (std::string& reason : reasons(connector.due, found->second)) due.reasons.push_back(connector.name + ": " + std::move(reason));
    }
    if (!triggers_.empty()) {
      for (std::string& reason : reasons(triggers_, all)) due.reasons.push_back(std::move(reason));
    }
    due.messages = all.messages;
    due.bytes = all.bytes;
    due.oldest = all.oldest;
    due.urgent = all.urgent;
    if (!due.reasons.empty()) out.push_back(std::move(due));
  }
  return out;
}

}  // namespace longline::mail
