// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mail/connector_choice.hpp"
#include "mail/flush_follower.hpp"
#include "mail/queue_backend.hpp"
#include "mail/receipt.hpp"
#include "sys/flush/queue_flush.hpp"

namespace longline::sys {

/// `mtaq --queue postfix|exim flush`: asks the mail system to send and, with `wait`, follows each message of the snapshot to its end.
/// The mail system does the sending, and goes on with it when we stop.
class MtaFlush {
 public:
  MtaFlush(mail::QueueBackend& queue, mail::ConnectorChoice& choice, FlushSettings settings, FlushObserver& observer)
      : queue_(queue), choice_(choice), settings_(std::move(settings)), observer_(observer) {}
  /// With `wait`, what became of the messages of the snapshot; without, only those are in the tally that the mail system was not asked
  /// to send. Errors: an id that is not there, a mail system that cannot be asked.
  Result<mail::FlushTally> run();
  std::size_t asked_for() const { return asked_for_; }
  /// With `wait`: by link of ours, how many messages were for it and how many of them are gone.
  struct Moved {
    std::int64_t due = 0, sent = 0;
    std::string connector;
  };
  const std::map<std::string, Moved>& moved() const { return moved_; }

 private:
  Result<std::vector<mail::QueuedMessage>> take_snapshot();
  bool in_scope(const mail::QueuedMessage& message);
  Result<void> follow(std::vector<mail::QueuedMessage> snapshot);
  /// One look: the listing, then the log. False: the mail system does not run.
  Result<bool> look(mail::FlushFollower& follower);
  /// `asked`: the mail system was asked to send them.
  void account(std::vector<mail::Receipt> receipts, bool asked = true);

  mail::QueueBackend& queue_;
  mail::ConnectorChoice& choice_;
  FlushSettings settings_;
  FlushObserver& observer_;
  mail::FlushTally tally_;
  std::size_t total_ = 0, asked_for_ = 0;
  std::map<std::string, Moved> moved_;
  std::optional<TimePoint> end_;
  std::set<std::string> others_;    // the ids of what was there beside what was asked for
};

}  // namespace longline::sys
