// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.hpp"
#include "config/config.hpp"
#include "mail/aliases.hpp"
#include "mail/connector_choice.hpp"
#include "mail/smtp_server.hpp"
#include "sys/intake/local_delivery.hpp"
#include "sys/loop.hpp"
#include "sys/spool/spool.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// How the SMTP server side treats what it takes.
struct ReceivedMailSettings {
  config::Receive target;                   ///< where local mail goes
  std::vector<std::string> local_domains;   ///< what is local
  bool submission = false;                  ///< sendmail -bs: everything goes where the queue would send it
  bool drops = false;                       ///< into the drop folder: the spool is not ours to write
  std::string host;                         ///< our mail name
  std::string connector;                    ///< over which a retrieval fetched it; ""
};

/// Stores what an SMTP server took in before the peer is told so: local mail in Maildir, LMTP server, command or inbox, mail to pass on in the
/// queue. A message that came before (same Message-ID, sender, recipient and bytes, within seven days) is accepted and dropped: the
/// line was cut before the sender knew. Notices of success are sent where they were asked for (RFC 3461).
/// What is to be delivered elsewhere is refused for now, before, where the spool has no room to note it. What was delivered all the same is not refused: a
/// spool that then cannot be written costs the protection from duplicates, no more.
class ReceivedMail {
 public:
  using Done = std::function<void(Result<std::string> id)>;

  /// Opens what it needs, so that wrong folders are found before a caller has sent its mail. Without a spool (no right to it, damaged) a Maildir, LMTP
  /// server or command works too, with neither notices nor protection from duplicates.
  static Result<std::unique_ptr<ReceivedMail>> open(Loop& loop, const config::Config& config, const StatePaths& paths, EventSink& events,
                                                    ReceivedMailSettings settings);

  /// Answers once, now or later: the id ("" for none), or why not: Errc::refused for good, disk_full, others for now.
  void take(mail::Deliver&& message, Done done);
  /// Deliveries that have no answer yet.
  int under_way() const { return under_way_; }
  /// Whether it can keep what DSN promises, and pass mail on.
  bool has_spool() const { return spool_.has_value() || settings_.drops; }

 private:
  ReceivedMail(Loop& loop, const config::Config& config, const StatePaths& paths, EventSink& events, ReceivedMailSettings settings)
      : loop_(loop), paths_(paths), choice_(config), events_(events), settings_(std::move(settings)) {}

  struct Work;
  bool is_local(const std::string& recipient);
  Result<void> open_spool();
  Result<void> sort_out(Work& work);
  Result<void> prepare(Work& work);
  void on_delivered(const std::shared_ptr<Work>& work, std::vector<mail::RecipientResult> results);
  Result<std::string> store_once(Work& work);
  Result<std::string> store(Work& work);
  Result<std::string> note(Work& work);
  void add_keys(const Work& work, ReceivedBatch& batch) const;
  void add_traffic(const Work& work, ReceivedBatch& batch) const;
  Result<std::string> drop(const Work& work);
  mail::Submission submission_of(const mail::Deliver& message) const;
  Result<void> complete(mail::Submission& submission) const;
  void add_notice(const Work& work, bool success, ReceivedBatch& batch);
  void finish(const std::shared_ptr<Work>& work, Result<std::string> outcome);

  Loop& loop_;
  const StatePaths& paths_;
  mail::ConnectorChoice choice_;
  EventSink& events_;
  ReceivedMailSettings settings_;
  mail::Aliases aliases_;
  std::optional<Spool> spool_;
  std::unique_ptr<LocalDelivery> delivery_;
  int under_way_ = 0;
};

}  // namespace longline::sys
