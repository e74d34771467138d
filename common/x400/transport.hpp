// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "x400/cotp.hpp"
#include "x400/tpkt.hpp"

namespace longline::x400 {

struct TransportOptions {
  bool initiator = true;
  std::string calling_selector;             ///< what we call ourselves; at most 32 octets; "" none
  std::string called_selector;              ///< initiator: whom we call; responder: what a CR must ask for; "" none, any
  std::size_t tpdu_size = 2048;             ///< 128 … 2048 by powers of two, or kLongestTpdu: proposed, or the most that is granted
  std::size_t longest_tsdu = 16u << 20;     ///< octets; a longer one from the peer ends the connection
  Duration opening = std::chrono::seconds(60);  ///< from start() to the CC, or for the responder to the CR
};

/// The connection is there. The responder's CC is in a Write before this.
struct TransportOpened {
  std::size_t tpdu_size = 0;                ///< octets, header included
  std::string calling_selector;             ///< the peer's words; any bytes
  std::string called_selector;
};

struct TsduArrived {
  std::string bytes;
};

/// Close the line when it is flushed. `error` absent: the peer closed it between two TSDUs after TransportOpened.
struct TransportClosed {
  std::optional<Error> error{};
};

using TransportAction = std::variant<Write, TransportOpened, TsduArrived, TransportClosed>;

/// Both sides of the transport protocol class 0 over a stream (X.224, RFC 1006): machine without I/O. It takes one TPDU at a time: next_action()
/// looks at what has arrived only when the actions of the TPDU before are taken, so that whoever sits above answers in order. Holds one TSDU and
/// what the last on_bytes() brought. Errc: protocol, line_dropped, deadline, next_hop_unreachable (unknown selector), busy.
class Transport {
 public:
  explicit Transport(TransportOptions options);

  void start(TimePoint now);
  void on_bytes(std::string_view in, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  /// After TransportOpened; in DTs of the negotiated size. `secret` goes into its Writes.
  void send(std::string_view tsdu, bool secret = false);
  /// From the next TPDU on.
  void bound_tsdu(std::size_t longest) { options_.longest_tsdu = longest; }
  /// Ends the machine without a word: closing the line is class 0's only disconnect.
  void close();

  std::optional<TimePoint> deadline() const;
  std::optional<TransportAction> next_action();
  /// Octets of a TSDU of which more must come.
  std::size_t pending() const { return tsdu_.size() + reader_.pending(); }

 private:
  enum class Phase { idle, opening, open, finished };

  void take(std::string_view tpdu);
  void take_request(const CotpConnect& request);
  void take_confirm(const CotpConnect& confirm);
  void take_data(CotpData data);
  void fail(Error error);
  void finish(TransportClosed how);

  TransportOptions options_;
  Phase phase_ = Phase::idle;
  TpktReader reader_;
  std::string input_;
  std::size_t used_ = 0;      // of input_
  bool closed_ = false;       // the line, behind input_
  std::string tsdu_;
  std::size_t tpdu_size_ = kLongestTpdu;
  TimePoint started_{};
  std::deque<TransportAction> actions_;
};

}  // namespace longline::x400
