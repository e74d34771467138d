// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/event.hpp"
#include "config/config.hpp"
#include "sys/intake/received_mail.hpp"
#include "sys/spool/spool.hpp"
#include "x400/incoming_mail.hpp"
#include "x400/p1.hpp"
#include "x400/rts_types.hpp"

namespace longline::sys {

/// What is taken from a peer over X.400, and where it goes.
struct IncomingMailSettings {
  ReceivedMailSettings mail;                ///< its `connector` and `host` are the association's
  std::vector<std::string> relay_domains;   ///< patterns of what is taken though it is not local, to be passed on
  bool relays_all = false;                  ///< this peer may send anywhere
  std::string from;                         ///< for Received: "HUB (192.0.2.1:102)"
  std::int64_t largest = 100'000'000;       ///< bytes of a message
};
/// Of a connector, whoever calls: local-domains of its own or of the configuration, or the host's name; where local mail goes, and what is passed on.
/// `address`: the peer's, "" for a line.
IncomingMailSettings incoming_mail_settings(const config::Config& config, const config::Connector& connector, const std::string& host,
                                            const std::string& address);

/// The transfers that come in over one association: stores their segments, takes in what is complete, answers senders of what cannot be delivered. All
/// references must outlive it.
class IncomingTransfers {
 public:
  /// Opens what the mail needs, so that it is found before a peer has sent anything that it cannot be delivered to.
  static Result<std::unique_ptr<IncomingTransfers>> open(Loop& loop, Spool& spool, const config::Config& config, const StatePaths& paths, EventSink& events,
                                                         const config::Connector& connector, IncomingMailSettings settings);

  void bound(AgreedSession session) { session_ = std::move(session); }
  Result<std::optional<x400::IncomingState>> find(const x400::TransferKey& key);
  /// A segment waits until settle(): the last one of a transfer need not be stored if the message is.
  Result<void> carry_out(x400::StoreSegment&& segment);
  Result<void> carry_out(const x400::ResumeIncoming& resumed);
  Result<void> carry_out(const x400::DiscardIncoming& discarded);
  /// What waits is on the disk. Before anything is acknowledged.
  Result<void> settle();
  /// The message is taken in, or its sender will hear why not. `done` is called once, now or from the loop. Errors: for now it cannot be had; what came
  /// of it stays, but for what can be no message: malformed.
  using Done = std::function<void(Result<void>)>;
  void complete(const x400::TransferComplete& transfer, Done done);

  /// Whether something was queued in answer since the last call.
  bool take_answered() { return std::exchange(answered_, false); }
  std::size_t received() const { return received_; }

 private:
  struct Taking;
  IncomingTransfers(Spool& spool, const config::Config& config, EventSink& events, const config::Connector& connector, IncomingMailSettings settings);
  Result<std::string> content_of(const x400::TransferComplete& transfer);
  Result<void> take_report(const x400::Report& report);
  Result<std::shared_ptr<Taking>> read_message(const x400::MessageEnvelope& envelope, std::string content);
  void refuse_all(Taking& taking, const std::string& enhanced, const std::string& why);
  bool accepts(const std::string& mailbox) const;
  bool is_local(const std::string& mailbox) const;
  void add_received_field(Taking& taking);
  Result<void> answer(const Taking& taking);
  Result<void> finish(const x400::TransferKey& key);
  std::int64_t number(const x400::TransferKey& key) const { return key_ == key ? transfer_ : 0; }
  Result<void> drop(const x400::TransferKey& key);

  Spool& spool_;
  EventSink& events_;
  const config::Connector& connector_;
  IncomingMailSettings settings_;
  x400::OurMta ours_;
  x400::AddressMapping mapping_;
  mail::ConnectorChoice choice_;
  AgreedSession session_;
  TransferBounds bounds_;
  std::unique_ptr<ReceivedMail> mail_;
  std::optional<x400::StoreSegment> waiting_;
  x400::TransferKey key_;
  std::int64_t transfer_ = 0;          // its number in the spool, once something of it is stored
  std::size_t received_ = 0;
  bool answered_ = false;
};

}  // namespace longline::sys
