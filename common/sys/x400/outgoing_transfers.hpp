// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/event.hpp"
#include "config/config.hpp"
#include "sys/flush/flush_batch.hpp"
#include "sys/spool/spool.hpp"
#include "x400/or_name_mapping.hpp"
#include "x400/p1_trace.hpp"
#include "x400/rts_types.hpp"

namespace longline::sys {

/// The messages of a FlushBatch as transfers of one association: makes their envelopes, goes on with what was cut, keeps the progress in the spool. The
/// batch serves this connector's hop. All references must outlive it.
class OutgoingTransfers {
 public:
  OutgoingTransfers(Spool& spool, FlushBatch& batch, EventSink& events, const config::Connector& connector, const std::string& host);

  /// What was agreed on with the peer.
  void bound(AgreedSession session) { session_ = std::move(session); }
  std::optional<x400::OutgoingTransfer> next();
  Result<std::string> read(const std::string& id, std::uint64_t offset, std::size_t most);
  /// Each is on the disk when these return. Errors are the spool's.
  Result<void> carry_out(const x400::TransferStarted& started);
  Result<void> carry_out(const x400::TransferConfirmed& confirmed);
  Result<void> carry_out(const x400::TransferSent& sent);
  Result<void> carry_out(const x400::TransferFailed& failed);

  /// Something was queued by this process.
  void look_again() { batch_.look_again(); }
  /// The first failure of the spool inside next(), which cannot report it.
  std::optional<Error> failure() const;
  /// Whether the peer has taken anything.
  bool moved() const { return moved_; }
  std::size_t sent() const { return sent_; }
  /// Of each message that was confirmed in part: its bytes there, at most.
  const std::map<std::string, std::int64_t>& confirmed() const { return confirmed_; }

 private:
  struct Entry {
    mail::Outgoing message;
    OutgoingTransfer transfer;
  };
  Result<std::optional<x400::OutgoingTransfer>> prepare(mail::Outgoing message);
  Result<OutgoingTransfer> make_transfer(mail::Outgoing& message, int priority, WallTime arrived);
  Result<std::string> body_of(const mail::Outgoing& message);
  Result<void> settle(const std::string& id, mail::Outcome outcome, const std::string& enhanced, const std::string& text);

  Spool& spool_;
  FlushBatch& batch_;
  EventSink& events_;
  const config::Connector& connector_;
  x400::OurMta ours_;
  x400::AddressMapping mapping_;
  AgreedSession session_;
  std::map<std::string, Entry> entries_;   // those that the machine has
  std::optional<Error> failure_;
  bool moved_ = false;
  std::size_t sent_ = 0;
  std::map<std::string, std::int64_t> confirmed_;
};

}  // namespace longline::sys
