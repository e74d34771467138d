// SPDX-License-Identifier: MIT
#include "mail/filter.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

bool is_glob(std::string_view text) { return text.find_first_of("*?") != std::string_view::npos; }

bool reason_matches(const std::string& wanted, const std::string& reason) {
  if (iequals(wanted, to_string(classify_reason(reason)))) return true;
  if (is_glob(wanted)) return glob_match(wanted, reason);
  return to_lower(reason).find(to_lower(wanted)) != std::string::npos;
}

bool recipient_matches(const Filter& filter, const QueuedMessage& message, const Recipient& recipient, ConnectorChoice& choice) {
  if (!filter.recipient.empty() && !glob_match(filter.recipient, recipient.address)) return false;
  if (!filter.domain.empty()) {
    const std::size_t at = recipient.address.rfind('@');
    const std::string_view domain =
        at == std::string::npos ? std::string_view() : std::string_view(recipient.address).substr(at + 1);
    if (!glob_match(filter.domain, domain)) return false;
  }
  if (filter.connector.empty() && filter.link.empty() && filter.reason.empty()) return true;
  const Destination destination = choice.choose(recipient.address);
  const config::Connector* connector = destination.connector;
  if (!filter.connector.empty() && (connector == nullptr || connector->name != filter.connector)) return false;
  if (!filter.link.empty() && (connector == nullptr || connector->link != filter.link)) return false;
  return filter.reason.empty() || reason_matches(filter.reason, waiting_reason(message, recipient, destination));
}

}  // namespace

bool Filter::empty() const {
  return !older && !younger && !larger && !smaller && sender.empty() && recipient.empty() && domain.empty() &&
         connector.empty() && link.empty() && !state && reason.empty();
}

bool matches(const Filter& filter, const QueuedMessage& message, ConnectorChoice& choice, WallTime now) {
  const Duration age = now - message.arrived;
  if (filter.older && age < *filter.older) return false;
  if (filter.younger && age >= *filter.younger) return false;
  if (filter.larger && message.size <= *filter.larger) return false;
  if (filter.smaller && message.size >= *filter.smaller) return false;
  if (filter.state && message.state != *filter.state) return false;
  if (!filter.sender.empty() && !glob_match(filter.sender, message.sender.empty() ? "<>" : message.sender)) return false;
  // A damaged message has none; only what is said about recipients leaves it out.
  if (message.recipients.empty()) return recipient_matches(filter, message, Recipient(), choice);
  const bool waits = message.first_unfinished() != nullptr;
  return std::any_of(message.recipients.begin(), message.recipients.end(), [&](const Recipient& r) {
    return (!waits || !r.finished()) && recipient_matches(filter, message, r, choice);
  });
}

std::vector<std::string> waiting_recipients(const Filter& filter, const QueuedMessage& message, ConnectorChoice& choice) {
  std::vector<std::string> out;
  for (const Recipient& r : message.recipients) {
    if (!r.finished() && recipient_matches(filter, message, r, choice)) out.push_back(r.address);
  }
  return out;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  const std::string p = to_lower(pattern), t = to_lower(text);
  std::size_t i = 0, j = 0, star = std::string::npos, resume = 0;
  while (j < t.size()) {
    if (i < p.size() && p[i] == '*') {
      star = i++;
      resume = j;
    } else if (i < p.size() && p[i] == '?') {
      ++i;
      j += character_length(std::string_view(t).substr(j));
    } else if (i < p.size() && p[i] == t[j]) {
      ++i;
      ++j;
    } else if (star != std::string::npos) {
      i = star + 1;
      resume += character_length(std::string_view(t).substr(resume));
      j = resume;
    } else {
      return false;
    }
  }
  while (i < p.size() && p[i] == '*') ++i;
  return i == p.size();
}

}  // namespace longline::mail
