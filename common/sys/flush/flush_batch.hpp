// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.hpp"
#include "config/config.hpp"
#include "mail/connector_choice.hpp"
#include "mail/dsn.hpp"
#include "mail/flush_order.hpp"
#include "mail/patience.hpp"
#include "mail/receipt.hpp"
#include "mail/smtp_client.hpp"
#include "sys/spool/spool.hpp"

namespace longline::sys {

/// One peer of a lane: connectors that all mean the same line or host share a session. Of a connector that delivers by DNS each domain is
/// a peer of its own.
struct FlushHop {
  const config::Connector* connector = nullptr;   ///< the first of them: its settings count
  std::vector<const config::Connector*> all;
  std::string domain{};                           ///< lower case; only with host "mx"
  bool serves(const config::Connector* other, std::string_view recipient) const;
};

/// One lane's part of a message: what a flush keeps of each of a hundred thousand.
struct FlushShare {
  std::string id;
  std::int64_t size = 0;
  WallTime arrived{};
  int priority = mail::kNormal;
  bool rests = false;                             ///< mail::rests()
  std::vector<std::string> recipients{};          ///< in the order of the message
  bool in_snapshot = true;                        ///< it did not come later
};
/// Of a message as the spool has it, without recipients.
FlushShare share_of(const mail::QueuedMessage& message);

/// The messages of one lane (a link, or a LAN connector) on their way out: feeds the SMTP machine, records what became of
/// them in the spool, makes the notifications. Needs the lane's lease.
class FlushBatch : public mail::MessageSource {
 public:
  struct Callbacks {
    std::function<void(const mail::Receipt&, bool in_snapshot)> on_receipt;
    std::function<bool(const config::Connector&)> in_scope;   ///< for mail that comes while the line is open
    std::function<std::optional<Error>(std::int64_t size)> refusal;   ///< why a message of this size must not be begun now
    std::function<void(std::int64_t size)> on_begin;          ///< it is
    /// Messages that were tried in this flush: over two connectors it is one attempt.
    std::shared_ptr<std::set<std::string>> counted = std::make_shared<std::set<std::string>>();
  };
  FlushBatch(Spool& spool, const config::Config& config, EventSink& events, std::string host, std::string lane, mail::ConnectorChoice choice,
             Callbacks callbacks);

  void add(FlushShare share);
  bool empty() const { return entries_.empty(); }
  /// What another lane, or another batch of this one, has to send now; `gone`: ids of messages of which nothing is left here, without a
  /// receipt.
  struct LetGo {
    std::vector<FlushShare> shares;
    std::vector<std::string> gone;
  };
  /// The ids that have no receipt yet.
  std::vector<std::string> waiting() const;
  /// The peers, in the order of the configuration.
  std::vector<FlushHop> hops() const;
  /// What waits for this hop.
  std::size_t due(const FlushHop& hop) const;

  /// Whether nothing that waits for the hop may be begun now: a session would be for nothing. Why, is kept for each message.
  bool holds_back_all(const FlushHop& hop);
  /// From now on the source serves this hop. `take_new`: also mail that comes meanwhile.
  void start_hop(const FlushHop& hop, bool take_new);
  std::optional<mail::Outgoing> next_message() override;
  Result<std::string> read_body(const std::string& id, std::uint64_t offset, std::size_t most) override;

  Result<void> mark_in_doubt(const std::vector<mail::InFlight>& messages);
  Result<void> record(const std::vector<mail::MessageResult>& results);
  /// Likewise, but without what a session did not come to: that waits for another session, another connector, or give_up().
  Result<void> record_tried(const std::vector<mail::MessageResult>& results);
  /// Refuses for good what is larger than its connector takes, or the peer (`peer_limit`, 0: not known), before a byte of it costs anything.
  Result<void> refuse_too_large(const FlushHop& hop, std::int64_t peer_limit);
  /// What the hop has not got when its session is over (or never began) stays, for this reason. `writes`: say so in the
  /// spool, and let expire what is old enough.
  enum class Rest { all, but_elsewhere };
  Result<void> give_up(const FlushHop& hop, const Error& why, bool writes, Rest rest = Rest::all);
  /// Ids that another flush has, which sends them to others of their recipients. due() does not count them.
  std::vector<std::string> elsewhere() const;
  /// Reads again what another flush may have changed since the snapshot; what is gone or done is forgotten.
  Result<void> refresh();
  /// Refuses for good what waits for this hop: its domain takes no mail, or is none.
  Result<void> refuse(const FlushHop& hop, const std::string& enhanced, const std::string& text);
  /// Lets go of those of the hop's recipients whom `which` names: somebody else sends to them.
  LetGo hand_over(const FlushHop& hop, const std::function<bool(const std::string& address)>& which);
  /// From now on this choice holds. Lets go of recipients whom it sends elsewhere.
  LetGo reroute(mail::ConnectorChoice choice);
  /// Mail was queued by this process itself, which may go over the same line.
  void look_again() { made_some_ = true; }
  /// Another flush did this one.
  void forget(const std::string& id) { drop(id); }

  std::size_t sent_in_hop() const { return sent_in_hop_; }
  /// Recipients of the hop about whom the peer has said something.
  std::size_t answered_in_hop() const { return answered_in_hop_; }
  /// The first failure of the spool inside next_message(), which cannot report it.
  std::optional<Error> source_failure() const { return source_failure_; }

 private:
  /// Of a message that was come to.
  struct Work {
    mail::QueuedMessage message{};            // as it is in the spool; no id: not read yet
    std::vector<mail::RecipientResult> results{};
    std::optional<WallTime> next_attempt{};
    std::optional<Errc> cause{};
    std::string reason{};
    std::optional<Error> held_back{};         // why it was not begun
  };
  struct Entry : FlushShare {                 // its recipients: those that have no result yet
    bool is_there = true;                     // in the spool, when that was read last
    bool is_elsewhere = false;                // another flush has it, when that was asked last
    std::unique_ptr<Work> work{};
    Work& begun() { return work ? *work : *(work = std::make_unique<Work>()); }
  };

  bool ours(const config::Connector* connector) const;
  std::vector<std::string> recipients_for(const Entry& entry, const FlushHop& hop) const;
  std::set<std::string> domains_of(const config::Connector& connector) const;
  bool complete(const Entry& entry) const;
  void queue_for_hop(const std::string& id, const Entry& entry);
  void hold_back(const std::string& id, Error why);
  void let_go(Entry& entry, std::vector<std::string> addresses, LetGo& out);
  void drop_empty(LetGo& out);
  void drop(const std::string& id);
  /// It has its receipt, where there is anything to say. Whether all of it was sent.
  bool close(const std::string& id);
  void look_for_new();
  void claim_more();
  bool see_claimed(const std::string& id);
  void adopt(Entry& entry, mail::QueuedMessage&& now) const;
  void ask_again_for_elsewhere();
  /// Reads the messages of these results, which are in order; what has gone from the spool, or whose recipients have, goes from them, too.
  Result<void> read(std::vector<mail::MessageResult>& results);
  RecipientUpdate update_for(const Work& work, mail::RecipientResult& result, std::vector<mail::DsnRecipient>& failed);
  Result<std::optional<mail::Submission>> notification(const Work& work, mail::DsnAction action, std::vector<mail::DsnRecipient> recipients,
                                                       const mail::DsnWishes& wishes);
  std::optional<Traffic> traffic_of(const Work& work, const mail::MessageResult& result) const;
  /// Tells the sender, once, that recipients have waited for longer than their connectors' `delay-warning`.
  Result<void> warn_of_delay(const Work& work, MessageUpdate& update, const std::vector<mail::RecipientResult>& left, const mail::DsnWishes& wishes);
  mail::Receipt receipt_of(const Work& work) const;
  void emit(const mail::QueuedMessage& message, const mail::RecipientResult& result);
  using Verdict = std::function<std::optional<mail::RecipientResult>(Entry& entry, const std::string& address)>;
  using Sink = std::function<Result<void>(std::vector<mail::MessageResult>)>;
  /// Judges every recipient that waits for the hop, and hands what comes of it on a thousand messages at a time: a queue may hold many more.
  Result<void> judge(const FlushHop& hop, const Verdict& verdict, const Sink& sink);
  Result<void> settle(std::vector<mail::MessageResult> results);

  Spool& spool_;
  const config::Config& config_;
  EventSink& events_;
  std::string host_;
  std::string lane_;
  Callbacks callbacks_;
  mutable mail::ConnectorChoice choice_;
  mail::Patience patience_;
  std::map<std::string, Entry> entries_;
  std::set<std::string> dropped_;         // never taken on twice
  FlushHop hop_;
  bool take_new_ = false;
  bool made_some_ = false;                // notifications, which may go over the same line
  WallTime order_time_{};
  std::set<mail::FlushPlace> queue_;      // for the hop, best first
  std::list<std::string> claimed_;        // the head of it, marked as being sent
  std::string body_id_;                   // read ahead, so that the body is not looked up for each piece
  std::uint64_t body_offset_ = 0;
  std::string body_;
  std::size_t sent_in_hop_ = 0, answered_in_hop_ = 0;
  std::optional<Error> source_failure_;
};

}  // namespace longline::sys
