// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "config/config.hpp"
#include "sys/flush/flush_session.hpp"
#include "sys/flush/peer_connection.hpp"
#include "sys/state_paths.hpp"
#include "sys/x400/association.hpp"

namespace longline::sys {

/// A flush's visit to an X.400 peer: calls it, binds, sends what the batch has, takes what the peer has, releases. Goes on with what an earlier call left
/// unfinished. Where the line is cut after something had moved it calls again at once, over TCP; where the peer has forgotten, it calls again and begins anew.
/// On a LAN, where messages still wait after a transfer-interval, one more association for each further `threshold` of them shares the work.
class X400Visit : public FlushSession {
 public:
  struct Observer {
    std::function<void(const std::string&)> note{};   ///< what does not change the outcome; escaped
  };
  struct Finished {
    std::optional<Error> error{};   ///< absent: nothing is left on either side
    bool bound = false;             ///< an association stood
    bool moved = false;             ///< anything, either way
    std::size_t sent = 0, received = 0;
  };
  /// `address`: where to connect to. All references must outlive it.
  X400Visit(Loop& loop, Spool& spool, const config::Config& config, const StatePaths& paths, EventSink& events, std::string host,
            const config::Connector& connector, PeerAddress address, Observer observer);
  ~X400Visit() override;

  /// Connects, not beyond `deadline`. Errors as connect_peer()'s and rts_peer()'s, and what keeps received mail from being stored.
  Result<void> open(std::optional<TimePoint> deadline);
  /// After open(): runs the loop until the visit is over. `start_hop`: the batch's, called before each round; `waiting`: how many messages the batch has
  /// for this peer. Errors are the spool's.
  Result<Finished> run(FlushBatch& batch, const std::function<void()>& start_hop, const std::function<std::size_t()>& waiting);
  /// After open(), and instead of run(): binds, and releases at once. What was agreed on.
  Result<x400::Bound> ping();

  void stop() override;
  void abort() override;
  /// Of all its connections.
  std::uint64_t bytes_out() const override;
  bool resumes() const override { return true; }
  std::uint64_t bytes_in() const { return bytes_in_ + (association_ ? association_->bytes_in() : 0); }   ///< when it is over
  int connections() const { return connections_; }

 private:
  /// One more association beside the first.
  struct Helper;
  Result<void> connect();
  Result<std::unique_ptr<IncomingTransfers>> open_incoming();
  void call_helpers(FlushBatch& batch, std::size_t count);
  bool any_helper_left() const;
  void add_up_helpers(Finished& out);
  Result<x400::RtsOptions> options(bool recovers);
  Result<x400::RtsFinished> associate(x400::RtsOptions options, std::function<Result<void>(const x400::Bound&)> on_bound, OutgoingTransfers* outgoing,
                                      IncomingTransfers* incoming, const std::function<void()>& help = {});
  bool got_further(const OutgoingTransfers& outgoing);
  bool may_call_again(const x400::RtsFinished& end, bool further, bool moved);
  void tell(const x400::Bound& bound);

  Loop& loop_;
  Spool& spool_;
  const config::Config& config_;
  const StatePaths& paths_;
  EventSink& events_;
  std::string host_;
  const config::Connector& connector_;
  PeerAddress address_;
  Observer observer_;
  std::optional<TimePoint> deadline_;
  std::unique_ptr<ByteStream> line_;
  x400::RtsPeer peer_;
  std::optional<AgreedSession> recovering_;
  std::unique_ptr<IncomingTransfers> incoming_;
  std::unique_ptr<Association> association_;
  std::vector<std::unique_ptr<Helper>> helpers_;
  std::uint64_t bytes_out_ = 0, bytes_in_ = 0;
  std::size_t received_by_helpers_ = 0;
  int refusals_ = 0;       // of a recovery
  int unconfirmed_ = 0;    // calls in a row that got no further
  std::map<std::string, std::int64_t> confirmed_;   // bytes of each message, at most
  int connections_ = 0;
  bool stopping_ = false, ending_ = false;
};

}  // namespace longline::sys
