// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "mail/queue_backend.hpp"

namespace longline::mail {

/// A queue in memory: what the contract is tried out on, and what tests of everything above a queue use. `on_trigger` plays the mail system.
class RamQueue : public QueueBackend {
 public:
  std::string add(const std::string& sender, const std::vector<std::string>& recipients, std::string content, WallTime now) {
    QueuedMessage message;
    message.queue = "ram";
    message.id = format_id(++sequence_);
    message.sender = sender;
    message.arrived = now;
    message.size = static_cast<std::int64_t>(content.size());
    for (const std::string& address : recipients) {
      message.recipients.emplace_back();
      message.recipients.back().address = address;
    }
    messages.push_back(message);
    contents_.push_back(std::move(content));
    return message.id;
  }

  std::string_view name() const override { return "ram"; }
  Result<void> visit(const Visitor& visitor) override {
    const std::vector<QueuedMessage> now = messages;
    for (QueuedMessage message : now) {
      if (!visitor(std::move(message))) break;
    }
    return {};
  }
  Result<QueuedMessage> find(const std::string& id) override {
    const auto found = place(id);
    if (found == messages.end()) return not_in_queue(id);
    return *found;
  }
  Result<void> read(const std::string& id, const Sink& sink) override {
    const auto found = place(id);
    if (found == messages.end()) return not_in_queue(id);
    sink(contents_[static_cast<std::size_t>(found - messages.begin())]);
    return {};
  }
  Result<std::vector<Result<void>>> change(QueueChange change, const std::vector<SeenMessage>& as_seen) override {
    std::vector<Result<void>> results;
    for (const SeenMessage& seen : as_seen) results.push_back(change_one(change, seen));
    return results;
  }
  Result<void> trigger(const std::vector<std::string>& ids) override {
    if (on_trigger) on_trigger(ids);
    return {};
  }

  void erase(const std::string& id) {
    const auto found = place(id);
    if (found == messages.end()) return;
    contents_.erase(contents_.begin() + (found - messages.begin()));
    messages.erase(found);
  }

  std::vector<QueuedMessage> messages;
  std::function<void(const std::vector<std::string>&)> on_trigger;

 private:
  std::vector<QueuedMessage>::iterator place(const std::string& id) {
    return std::find_if(messages.begin(), messages.end(), [&](const QueuedMessage& m) { return m.id == id; });
  }
  Result<void> change_one(QueueChange change, const SeenMessage& seen) {
    const auto found = place(seen.id);
    if (found == messages.end()) return not_in_queue(seen.id);
    if (!is_same_message(seen, *found)) return changed_meanwhile(seen.id);
    switch (change) {
      case QueueChange::hold: found->state = MessageState::held; break;
      case QueueChange::release:
      case QueueChange::requeue: found->state = MessageState::ready; break;
      case QueueChange::bounce: {
        const std::string sender = found->sender;
        if (!sender.empty()) add("", {sender}, "Subject: returned\r\n\r\n", seen.arrived);
        erase(seen.id);
        break;
      }
      case QueueChange::remove: erase(seen.id); break;
    }
    return {};
  }

  std::vector<std::string> contents_;
  std::int64_t sequence_ = 0;
};

}  // namespace longline::mail
