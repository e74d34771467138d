// SPDX-License-Identifier: MIT
#include "mail/connector_choice.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/address.hpp"

namespace longline::mail {

std::string_view domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

Destination ConnectorChoice::choose(std::string_view address) {
  const std::string_view domain = domain_of(address);
  if (const auto found = known_.find(domain); found != known_.end()) return found->second;
  constexpr std::size_t kMostDomains = 100'000;
  const Destination destination = decide(domain);
  if (known_.size() < kMostDomains) known_.emplace(domain, destination);
  return destination;
}

std::optional<WallTime> ConnectorChoice::expires(const config::Connector& connector, WallTime arrived) {
  return patience_ ? patience_->expires(connector, arrived) : arrived + connector.expire;
}

const std::string& ConnectorChoice::next_hop(const config::Connector& connector) {
  const auto found = next_hops_.find(&connector);
  return found != next_hops_.end() ? found->second : next_hops_.emplace(&connector, mail::next_hop(&connector)).first->second;
}

bool ConnectorChoice::spent(const config::Connector& connector, std::string_view domain) const {
  const auto state = states_.find(state_key(connector, domain));
  return state != states_.end() && is_spent(state->second, connector, now_);
}

Destination ConnectorChoice::decide(std::string_view domain) const {
  Destination best;
  int specificity = -1;
  bool best_spent = false;
  for (const config::Connector& connector : config_->connectors) {
    int match = -1;
    for (const std::string& pattern : connector.domains) match = std::max(match, match_domain(pattern, domain).value_or(-1));
    if (match < 0 || match < specificity) continue;
    const bool spends = spent(connector, domain);
    if (match == specificity && std::pair(spends, connector.cost) >= std::pair(best_spent, best.connector->cost)) continue;
    best.connector = &connector;
    specificity = match;
    best_spent = spends;
  }
  for (const std::string& pattern : config_->local_domains) {
    const auto match = match_domain(pattern, domain);
    if (match && *match > specificity) return {nullptr, true};
  }
  return best;
}

std::string next_hop(const config::Connector* connector) {
  if (connector == nullptr) return "";
  if (connector->host == "line" || connector->host == "mx") return connector->host;
  const bool v6 = connector->host.find(':') != std::string::npos && connector->host.front() != '[';
  return (v6 ? "[" + connector->host + "]" : connector->host) + ":" + std::to_string(connector->port);
}

std::string lease_name(const config::Connector& connector) {
  return connector.link.empty() ? "connector:" + connector.name : "link:" + connector.link;
}

std::optional<std::string> why_too_large(const config::Connector& connector, std::int64_t size) {
  if (!connector.max_size || size <= *connector.max_size) return std::nullopt;
  return "the message has " + format_size(size) + ", connector " + connector.name + " takes at most " + format_size(*connector.max_size);
}

std::string waiting_reason(const Recipient& recipient, const Destination& destination) {
  if (!recipient.reason.empty() || recipient.finished()) return recipient.reason;
  if (destination.local) return "its domain is local: 'mtaq receive' keeps such mail, the queue does not";
  if (destination.connector == nullptr) return "no connector serves " + escape(domain_of(recipient.address));
  return "";
}

std::string waiting_reason(const QueuedMessage& message, const Recipient& recipient, const Destination& destination) {
  return message.foreign ? recipient.reason : waiting_reason(recipient, destination);
}

}  // namespace longline::mail
