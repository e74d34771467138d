// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "mail/connector_choice.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

enum class SummaryBy { connector, next_hop, domain };
std::optional<SummaryBy> summary_by_from_name(std::string_view name);   ///< "connector", "next-hop", "domain"
std::string_view to_string(SummaryBy by);

/// Upper ends of the ages that are counted apart, in minutes, as qshape(1) has them; older ones are in one class more.
constexpr std::array<std::int64_t, 9> kAgeClasses = {5, 10, 20, 40, 80, 160, 320, 640, 1280};

/// One line of `mtaq summary`.
struct QueueGroup {
  std::string name;                 ///< of the connector, next hop or domain; "" for recipients that none serves
  std::string link;                 ///< by connector and next hop
  std::string next_hop;
  std::int64_t count = 0;           ///< messages with a recipient here that waits
  std::int64_t bytes = 0;
  std::optional<WallTime> oldest{};
  std::array<std::int64_t, kAgeClasses.size() + 1> ages{};
  std::array<std::int64_t, 9> reasons{};   ///< messages by class of their first recipient's reason here, by ReasonClass
  std::int64_t held = 0;
};

/// Counts a queue, message by message; memory grows with the groups alone, and with those only to a bound, behind which
/// domains are counted together as "(others)".
class QueueSummary {
 public:
  QueueSummary(SummaryBy by, ConnectorChoice& choice, WallTime now) : by_(by), choice_(choice), now_(now) {}
  void add(const QueuedMessage& message);
  /// The largest first.
  std::vector<QueueGroup> groups() const;
  /// Of the whole queue: a message counts once.
  const QueueGroup& total() const { return total_; }
  SummaryBy by() const { return by_; }

 private:
  QueueGroup& group_of(const Recipient& recipient, const Destination& destination);
  void count(QueueGroup& group, const QueuedMessage& message, ReasonClass reason_class) const;
  SummaryBy by_;
  ConnectorChoice& choice_;
  WallTime now_;
  std::map<std::string, QueueGroup, std::less<>> groups_;
  std::map<const config::Connector*, QueueGroup*> by_connector_;   // found before
  QueueGroup total_;
};

/// {"connector"|"next_hop"|"domain", …, "count","bytes","oldest","held","ages":[{"minutes","count"}],"reason_classes":{…}}
JsonObject to_json(const QueueGroup& group, SummaryBy by);
/// A table for people, with a line of totals; "" for an empty queue. Escaped.
std::string summary_text(const QueueSummary& summary, WallTime now);

}  // namespace longline::mail
