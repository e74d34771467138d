// SPDX-License-Identifier: MIT
#include "mail/queue_summary.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "mail/queue_listing.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kMostGroups = 100'000;
constexpr std::string_view kOthers = "(others)";
constexpr std::size_t kReasonClasses = 9;

std::size_t age_class(Duration age) {
  const std::int64_t minutes = age.count() / 60'000;
  std::size_t i = 0;
  while (i < kAgeClasses.size() && minutes >= kAgeClasses[i]) ++i;
  return i;
}

std::string reasons_text(const QueueGroup& group) {
  std::string out;
  for (std::size_t i = 1; i < kReasonClasses; ++i) {
    if (group.reasons[i] == 0) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", group.reasons[i], to_string(static_cast<ReasonClass>(i)));
  }
  if (group.held > 0) out += fmt::format("{}{} held", out.empty() ? "" : ", ", group.held);
  return out;
}

std::string row(const std::string& name, const QueueGroup& group, WallTime now) {
  std::string out = fmt::format("{:<24} {:>7} {:>8} {:>6} ", name, group.count, format_size(group.bytes),
                                group.oldest ? format_age(now - *group.oldest) : "-");
  for (const std::int64_t n : group.ages) out += fmt::format(" {:>5}", n == 0 ? "." : std::to_string(n));
  const std::string reasons = reasons_text(group);
  return out + (reasons.empty() ? "" : "  " + reasons) + "\n";
}

}  // namespace

std::optional<SummaryBy> summary_by_from_name(std::string_view name) {
  for (const SummaryBy by : {SummaryBy::connector, SummaryBy::next_hop, SummaryBy::domain}) {
    if (to_string(by) == name) return by;
  }
  return std::nullopt;
}

std::string_view to_string(SummaryBy by) {
  switch (by) {
    case SummaryBy::connector: return "connector";
    case SummaryBy::next_hop: return "next-hop";
    case SummaryBy::domain: break;
  }
  return "domain";
}

QueueGroup& QueueSummary::group_of(const Recipient& recipient, const Destination& destination) {
  const config::Connector* connector = destination.connector;
  std::string key;
  if (by_ == SummaryBy::domain) {
    const std::string_view domain = domain_of(recipient.address);
    if (const auto found = groups_.find(domain); found != groups_.end()) return found->second;
    key = to_lower(domain);
    if (groups_.size() >= kMostGroups && !groups_.contains(key)) key = kOthers;
  } else {
    if (const auto found = by_connector_.find(connector); found != by_connector_.end()) return *found->second;
    key = by_ == SummaryBy::next_hop ? next_hop(connector) : connector == nullptr ? "" : connector->name;
  }
  const auto [place, made] = groups_.try_emplace(key);
  if (made) {
    place->second.name = key;
    if (connector != nullptr && by_ != SummaryBy::domain) {
      place->second.link = connector->link;
      place->second.next_hop = next_hop(connector);
    }
  }
  if (by_ != SummaryBy::domain) by_connector_[connector] = &place->second;
  return place->second;
}

void QueueSummary::count(QueueGroup& group, const QueuedMessage& message, ReasonClass reason_class) const {
  ++group.count;
  group.bytes += message.size;
  if (!group.oldest || message.arrived < *group.oldest) group.oldest = message.arrived;
  ++group.ages[age_class(now_ - message.arrived)];
  ++group.reasons[static_cast<std::size_t>(reason_class)];
  if (message.state == MessageState::held) ++group.held;
}

void QueueSummary::add(const QueuedMessage& message) {
  std::vector<QueueGroup*> seen;
  bool first = true;
  const auto add_to = [&](const Recipient& recipient) {
    const Destination destination = choice_.choose(recipient.address);
    QueueGroup& group = group_of(recipient, destination);
    if (std::find(seen.begin(), seen.end(), &group) != seen.end()) return;
    if (message.recipients.size() > 1) seen.push_back(&group);
    const bool known = recipient.reason_class != ReasonClass::none;
    const ReasonClass reason = known ? recipient.reason_class : classify_reason(waiting_reason(message, recipient, destination));
    count(group, message, reason);
    if (first) count(total_, message, reason);
    first = false;
  };
  for (const Recipient& recipient : message.recipients) {
    if (!recipient.finished()) add_to(recipient);
  }
  if (first) add_to(Recipient());
}

std::vector<QueueGroup> QueueSummary::groups() const {
  std::vector<QueueGroup> out;
  out.reserve(groups_.size());
  for (const auto& [key, group] : groups_) out.push_back(group);
  std::stable_sort(out.begin(), out.end(), [](const QueueGroup& a, const QueueGroup& b) { return a.count > b.count; });
  return out;
}

JsonObject to_json(const QueueGroup& group, SummaryBy by) {
  const auto non_empty = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional<std::string>(text); };
  JsonObject out;
  switch (by) {
    case SummaryBy::connector:
      out.set("connector", non_empty(group.name)).set("link", non_empty(group.link)).set("next_hop", non_empty(group.next_hop));
      break;
    case SummaryBy::next_hop: out.set("next_hop", non_empty(group.name)).set("link", non_empty(group.link)); break;
    case SummaryBy::domain: out.set("domain", non_empty(group.name)); break;
  }
  out.set("count", group.count).set("bytes", group.bytes);
  out.set("oldest", group.oldest ? std::optional<std::string>(format_iso8601(*group.oldest)) : std::nullopt);
  out.set("held", group.held);
  std::vector<JsonObject> ages;
  for (std::size_t i = 0; i < group.ages.size(); ++i) {
    JsonObject one;
    if (i < kAgeClasses.size()) one.set("minutes", kAgeClasses[i]);
    else one.set_null("minutes");
    ages.push_back(std::move(one.set("count", group.ages[i])));
  }
  out.set("ages", ages);
  JsonObject reasons;
  for (std::size_t i = 0; i < kReasonClasses; ++i) {
    if (group.reasons[i] > 0) reasons.set(to_string(static_cast<ReasonClass>(i)), group.reasons[i]);
  }
  return out.set("reason_classes", reasons);
}

std::string summary_text(const QueueSummary& summary, WallTime now) {
  if (summary.total().count == 0) return "";
  std::string title(to_string(summary.by()));
  std::transform(title.begin(), title.end(), title.begin(), [](char c) { return c == '-' ? ' ' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); });
  std::string out = fmt::format("{:<24} {:>7} {:>8} {:>6} ", title, "COUNT", "SIZE", "OLDEST");
  for (const std::int64_t minutes : kAgeClasses) out += fmt::format(" {:>5}", fmt::format("<{}m", minutes));
  out += "  more\n";
  for (const QueueGroup& group : summary.groups()) {
    std::string name = group.name.empty() ? "(none)" : escape_at_most(group.name, 60);
    out += row(name, group, now);
  }
  if (summary.groups().size() > 1) out += row("total", summary.total(), now);
  return out;
}

}  // namespace longline::mail
