// SPDX-License-Identifier: MIT
#include "mail/flush_selection.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "mail/flush_allowance.hpp"
#include "mail/flush_order.hpp"

namespace longline::mail {
namespace {

Receipt receipt_of_kept(const QueuedMessage& message, Outcome outcome, const std::string& text) {
  Receipt receipt{message.id, "", "", message.size, message.message_id, {}, {}, {}, ""};
  for (const Recipient& r : message.recipients) {
    if (!r.finished()) receipt.recipients.push_back({r.address, outcome, 0, "", text});
  }
  if (receipt.recipients.empty()) receipt.recipients.push_back({"", outcome, 0, "", text});
  return receipt;
}

}  // namespace

FlushSelection select_for_flush(std::vector<QueuedMessage> snapshot, const FlushLimits& limits) {
  FlushSelection out;
  FlushAllowance allowance(limits.max_bytes, std::nullopt);
  std::vector<std::pair<FlushPlace, QueuedMessage>> waiting;
  for (QueuedMessage& message : snapshot) {
    if (message.state == MessageState::held) {
      out.left.push_back(receipt_of_kept(message, Outcome::deferred, "held"));
    } else if (!limits.max_bytes) {
      out.asked.push_back(std::move(message));
    } else if (limits.is_begun && limits.is_begun(message)) {
      allowance.begin(message.size);
      out.asked.push_back(std::move(message));
    } else {
      FlushPlace place = flush_place(message, limits.now);
      waiting.emplace_back(std::move(place), std::move(message));
    }
  }
  std::sort(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [place, message] : waiting) {
    if (const std::optional<Error> why = allowance.refusal(message.size, TimePoint{})) {
      out.left.push_back(receipt_of_kept(message, Outcome::not_tried, escape_at_most(why->message(), 400)));
      out.left.back().cause = why->code;
      continue;
    }
    allowance.begin(message.size);
    out.asked.push_back(std::move(message));
  }
  return out;
}

}  // namespace longline::mail
