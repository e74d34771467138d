// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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
  /// `tells_fates`: a log will say what became of what is gone; without one, gone is taken. `others`: where a requeued message comes again
  /// under another id, the ids of all that was there beside the snapshot.
  FlushFollower(std::vector<QueuedMessage> snapshot, bool tells_fates, std::optional<std::set<std::string>> others = std::nullopt);

  void on_fate(const Fate& fate);
  void begin_listing();
  void on_listed(const QueuedMessage& message);
  /// The receipts of messages whose end is known now. `run_over`: whether the attempts are over, where the mail system says that.
  std::vector<Receipt> end_listing(TimePoint now, std::optional<bool> run_over);
  /// That nothing happens means nothing now: the mail system does not run.
  void excuse_quiet() { changed_ = true; }
  /// The receipts of all that is left, because time ran out or a signal came. `why`: what the receipts say instead of the last reason.
  std::vector<Receipt> give_up(Errc cause, const std::string& why = "");

  /// Those that lie ready for some seconds, with nobody at them: a mail system that was restarted may have overlooked them.
  std::vector<std::string> overlooked(TimePoint now) const;

  /// Those that came again under another id, and lie with what must be asked for, as this one was: their ids, once.
  std::vector<std::string> to_be_asked_for() { return std::exchange(to_be_asked_for_, {}); }

  std::size_t waiting() const { return entries_.size(); }
  /// Messages that have no receipt: somebody removed them.
  std::size_t removed() const { return removed_; }

 private:
  struct Entry {
    QueuedMessage seen;                       // as the snapshot has it, with the id that it has now
    std::string id;                           // in the snapshot
    std::map<std::string, RecipientResult> fates{};   // by address; the last word counts
    std::map<std::string, RecipientResult> before{};  // those that had their end before it was requeued
    std::set<std::string> taken_out{};        // recipients that somebody removed
    std::optional<RecipientResult> whole{};   // said of the message
    std::optional<QueuedMessage> listed{};    // in this listing
    bool removed = false;
    bool requeued = false;                    // and not seen under its new id yet
    bool renamed = false;                     // and not looked at under its new id yet
    std::optional<QueuedMessage> unasked{};   // as it lay there when it was asked for again
    bool attempted = false;
    int absences = 0;
    std::optional<TimePoint> gone_since{};
    std::optional<TimePoint> ready_since{};   // in every listing, and without a word in the log

    void begin_again();
    const RecipientResult* fate_of(const std::string& address) const;
    bool is_told() const;
    bool all_have_fates() const;
    bool was_attempted() const;
  };
  using Entries = std::map<std::string, Entry>;

  void rename(Entries::iterator entry, const std::string& id);
  std::optional<std::string> take_twin(const Entry& entry);
  std::optional<Receipt> end_of(Entry& entry, TimePoint now, std::optional<bool> run_over);
  std::optional<Receipt> end_of_gone(Entry& entry, TimePoint now, bool run_over);
  Receipt receipt_of_gone(const Entry& entry) const;
  Receipt receipt_of_left(const Entry& entry) const;

  bool tells_fates_;
  std::optional<std::set<std::string>> others_;
  std::set<WallTime> arrivals_;               // of the snapshot
  std::map<std::string, QueuedMessage> newcomers_;    // that arrived with one of the snapshot, but are not of it
  std::vector<std::pair<std::string, std::string>> found_again_;
  std::vector<std::string> to_be_asked_for_;
  Entries entries_;
  std::size_t removed_ = 0;
  bool changed_ = false;                      // in this listing, or by the log since the last
  bool busy_ = false;
  std::optional<TimePoint> quiet_since_;
};

/// Whether a mail system's reason says that the next hop could not be reached (no route, DNS, refused, timeout), not that a peer
/// answered, or that an open connection was cut.
bool says_unreachable(std::string_view reason);

}  // namespace longline::mail
