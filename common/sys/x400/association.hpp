// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sys/line_pump.hpp"
#include "sys/loop.hpp"
#include "sys/x400/incoming_transfers.hpp"
#include "sys/x400/outgoing_transfers.hpp"
#include "x400/rts.hpp"

namespace longline::sys {

constexpr int kAssociationEnded = 1294;   // Exchange's event number

/// One association over one line: the machine, what stores and what gives it transfers. Either side.
class Association : private x400::RtsHost {
 public:
  struct Handlers {
    /// The responder's: RtsHost's. The peer that it gave is the one that on_bound is about.
    std::function<Result<x400::RtsPeer>(std::string_view name)> find_peer{};
    std::function<std::optional<x400::RtsHost::Recovery>(const x400::SessionId& id)> find_session{};
    /// Before any transfer: gives outgoing() and incoming() what they need. An error ends the association.
    std::function<Result<void>(const x400::Bound& bound)> on_bound{};
    /// Called once, from the loop, when nothing is left to do; it must not destroy the association.
    std::function<void(const x400::RtsFinished& end)> on_ended{};
  };
  /// For AgreedSession: what Bound says, by the connector's name.
  static AgreedSession agreed(const x400::Bound& bound, const std::string& connector);

  Association(Loop& loop, std::unique_ptr<ByteStream> line, x400::RtsOptions options, Handlers handlers);

  void start();
  /// What transfers come from and go to; null: nothing is sent, or whatever comes ends the association. Both must outlive it.
  void use(OutgoingTransfers* outgoing, IncomingTransfers* incoming);
  /// There may be something to send again.
  void wake();
  /// No more transfers; those under way are ended first.
  void stop();
  /// Ends now; the peer is told that we have a problem.
  void abort(Error why);

  std::uint64_t bytes_out() const { return pump_.bytes_out(); }
  std::uint64_t bytes_in() const { return pump_.bytes_in(); }
  bool ended() const { return over_; }
  /// The spool, or the store of what came, failed: the association was ended for it.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  std::optional<x400::OutgoingTransfer> next_transfer() override;
  Result<std::string> read(const std::string& id, std::uint64_t offset, std::size_t most) override;
  std::optional<x400::IncomingState> find_incoming(const x400::TransferKey& key) override;
  Result<x400::RtsPeer> find_peer(std::string_view name) override;
  std::optional<Recovery> find_session(const x400::SessionId& id) override;

  void drain();
  Result<void> act(Write& write);
  Result<void> act(x400::Bound& bound);
  Result<void> act(x400::TransferStarted& started);
  Result<void> act(x400::TransferConfirmed& confirmed);
  Result<void> act(x400::TransferSent& sent);
  Result<void> act(x400::TransferFailed& failed);
  Result<void> act(x400::StoreSegment& segment);
  Result<void> act(x400::ResumeIncoming& resumed);
  Result<void> act(x400::TransferComplete& complete);
  Result<void> act(x400::DiscardIncoming& discarded);
  Result<void> act(x400::RtsFinished& finished);
  Result<IncomingTransfers*> incoming() const;
  void fail(Error why);
  void set_timers();
  void end_when_written();
  void end();

  Loop& loop_;
  x400::Rts machine_;
  Handlers handlers_;
  OutgoingTransfers* outgoing_ = nullptr;
  IncomingTransfers* incoming_ = nullptr;
  LinePump pump_;
  std::optional<x400::RtsFinished> finished_;
  std::optional<Error> failure_;
  std::optional<Error> host_failure_;   // inside a call of the machine's, which cannot report it
  Loop::Registration timer_;
  Loop::Registration last_write_;
  bool draining_ = false;
  bool progress_ = true;                // the machine does not know yet how much the line takes
  bool delivering_ = false;             // no action is taken before the answer
  bool over_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();   // for answers that come later
};

}  // namespace longline::sys
