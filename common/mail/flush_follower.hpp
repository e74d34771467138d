// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "mail/queue_backend.hpp"
#include "mail/receipt.hpp"

namespace longline::mail {

/// Follows the messages of a snapshot through the listings and the log of a mail system that was asked to send them, until each has an
/// end: gone, refused, or left after an attempt. Pure; whoever drives it lists the queue again and again:
/// on_fate() for each line of the log, begin_listing(), on_listed() for each message, end_listing().
class FlushFollower {
 public:
  /// `tells_fates`: a log will say what became of what is gone; without one, gone is taken.
  FlushFollower(std::vector<QueuedMessage> snapshot, bool tells_fates);

  void on_fate(const Fate& fate);
  void begin_listing();
  void on_listed(const QueuedMessage& message);
  /// The receipts of messages whose end is known now. `run_over`: the attempts are over, as the mail system says.
  std::vector<Receipt> end_listing(TimePoint now, bool run_over);
  /// The receipts of all that is left, because time ran out or a signal came.
  std::vector<Receipt> give_up(Errc cause);

  /// Those that lie ready for some seconds, with nobody at them: a mail system that was restarted may have overlooked them.
  std::vector<std::string> overlooked(TimePoint now) const;

  std::size_t waiting() const { return entries_.size(); }

 private:
  struct Entry {
    QueuedMessage seen;                       // as the snapshot has it
    std::map<std::string, RecipientResult> fates{};   // by address; the last word counts
    std::optional<RecipientResult> whole{};   // said of the message
    std::optional<QueuedMessage> listed{};    // in this listing
    bool attempted = false;
    int absences = 0;
    std::optional<TimePoint> gone_since{};
    std::optional<TimePoint> ready_since{};   // in every listing, and without a word in the log
  };

  std::optional<Receipt> end_of(Entry& entry, TimePoint now, bool run_over);
  bool was_attempted(const Entry& entry, bool run_over) const;
  bool all_have_fates(const Entry& entry) const;
  Receipt receipt_of_gone(const Entry& entry) const;
  Receipt receipt_of_left(const Entry& entry) const;

  bool tells_fates_;
  std::map<std::string, Entry> entries_;
  bool changed_ = false;                      // in this listing, or by the log since the last
  bool busy_ = false;
  std::optional<TimePoint> quiet_since_;
};

/// Whether a mail system's reason says that the next hop could not be reached (no route, DNS, refused, timeout), not that a peer
/// answered, or that an open connection was cut.
bool says_unreachable(std::string_view reason);

}  // namespace longline::mail
