// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "mail/connector_choice.hpp"
#include "mail/queue_backend.hpp"
#include "sys/spool/spool.hpp"

namespace longline::sys {

/// Our own spool as one of the queues. Ids are never used again, and every change is a transaction: nothing is checked twice.
class SpoolQueue : public mail::QueueBackend {
 public:
  /// `host`: our mail name, for notifications. The Config must outlive it.
  SpoolQueue(Spool spool, const config::Config& config, std::string host) : spool_(std::move(spool)), choice_(config), host_(std::move(host)) {}

  std::string_view name() const override { return "spool"; }
  std::string canonical_id(std::string id) const override;
  Result<void> visit(const Visitor& visitor) override { return spool_.visit(Box::queue, visitor); }
  Result<mail::QueuedMessage> find(const std::string& id) override { return spool_.find(id); }
  Result<void> read(const std::string& id, const Sink& sink) override;
  Result<mail::DsnWishes> wishes(const std::string& id) override { return spool_.wishes(id); }
  Result<std::vector<Result<void>>> change(mail::QueueChange change, const std::vector<mail::SeenMessage>& as_seen) override;
  bool removes_recipients() const override { return true; }
  Result<std::vector<Result<void>>> remove_recipients(const std::vector<mail::MessagePart>& parts) override;
  /// usage: QueueFlush sends what is in the spool.
  Result<void> trigger(const std::vector<std::string>& ids) override;

  Spool& spool() { return spool_; }

 private:
  Result<void> change_one(mail::QueueChange change, const std::string& id);
  template <typename Item, typename Change>
  Result<std::vector<Result<void>>> each(const std::vector<Item>& items, const Change& change);
  Result<void> bounce(const std::string& id);
  Spool spool_;
  mail::ConnectorChoice choice_;
  std::string host_;
};

}  // namespace longline::sys
