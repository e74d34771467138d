// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "config/config.hpp"
#include "sys/flush/flush_batch.hpp"
#include "sys/state_paths.hpp"
#include "sys/x400/association.hpp"
#include "sys/x400/x400_peers.hpp"

namespace longline::sys {

/// One association of `mtaq receive --x400`: a caller who is checked by address, name and password, whose mail is taken in, and who gets what waits for
/// him. Of an association that is refused an event says who called and who was expected.
class X400Responder {
 public:
  struct Settings {
    X400Caller caller;
    std::string host;                                               ///< our mail name
    std::function<void(IncomingMailSettings&)> adjust{};            ///< after what the configuration says
    std::function<std::optional<Error>(const config::Connector&)> why_busy{};   ///< asked before an association is accepted
    std::function<void(const std::string&)> note{};                 ///< for --verbose; escaped
    std::optional<Duration> idle{};                                 ///< a caller who says nothing, or nothing whole, for so long is sent away
  };
  /// `ended` is called once, from the loop, when nothing is left to do; it must not destroy the responder.
  using Ended = std::function<void(const x400::RtsFinished&)>;
  X400Responder(Loop& loop, const config::Config& config, const StatePaths& paths, EventSink& events, std::unique_ptr<ByteStream> line, Settings settings,
                Ended ended);

  void start() { association_->start(); }
  /// Takes no more; what is under way is ended first.
  void stop() { association_->stop(); }
  /// Ends it now.
  void abort(Error why) { association_->abort(std::move(why)); }
  bool is_bound() const { return bound_; }
  /// Whom it is with; nullptr: nobody yet.
  const config::Connector* connector() const { return connector_; }

 private:
  Result<x400::RtsPeer> find_peer(std::string_view name);
  std::optional<x400::RtsHost::Recovery> find_session(const x400::SessionId& id);
  Result<void> bound(const x400::Bound& bound);
  Result<Spool*> spool();
  Result<void> offer_mail(const AgreedSession& agreed);
  void look_again();
  void on_ended(const x400::RtsFinished& end);
  void tell_refusal(const Error& error, int id);

  Loop& loop_;
  const config::Config& config_;
  const StatePaths& paths_;
  EventSink& events_;
  Settings settings_;
  Ended ended_;
  std::optional<std::vector<const config::Connector*>> may_call_;   // once somebody has asked
  const config::Connector* connector_ = nullptr;
  bool told_ = false;                        // a refusal
  bool bound_ = false;
  std::optional<Spool> spool_;
  bool has_lease_ = false;
  std::optional<FlushBatch> batch_;
  std::optional<OutgoingTransfers> outgoing_;
  std::unique_ptr<IncomingTransfers> incoming_;
  std::unique_ptr<Association> association_;
  Loop::Registration looking_;
};

}  // namespace longline::sys
