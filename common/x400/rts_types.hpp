// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace longline::x400 {

/// A session connection's identifier (X.225, 8.3.1.4): the values of its parameters as they stand on the wire, which are themselves BER
/// (X.228, 8.1.1). Each at most 64 bytes; any bytes. A password is not needed to recover a session, its identifier is: ours is not to be guessed.
struct SessionId {
  std::string calling;
  std::string common;
  std::string additional;   ///< "": none
  auto operator<=>(const SessionId&) const = default;
};

/// One transfer, as both sides name it: the session in which it was started, and the activity's identifier there (BER, at most 6 bytes).
/// Unique among the transfers of one direction with one peer.
struct TransferKey {
  SessionId session;
  std::string activity;
  auto operator<=>(const TransferKey&) const = default;
};

/// Of a transfer, in the order of X.411, 8.2.1.1.1.8. On the wire of RT-TURN-PLEASE 1, 2, 3; 0 asks for the turn to release.
enum class TransferPriority : std::uint8_t { urgent = 1, normal = 2, non_urgent = 3 };

/// How far a transfer got in an earlier session.
struct OutgoingProgress {
  TransferKey key;
  SessionId latest;            ///< the last session in which it was under way: what a recovery names
  std::uint32_t checkpoint_size = 0;   ///< in force then, units of 1024 bytes
  std::uint32_t serial = 0;            ///< the last TransferConfirmed; 0: none
  bool operator==(const OutgoingProgress&) const = default;
};

/// One APDU for the peer: the encoded value of the MTSE abstract syntax (EXTERNAL around the MTS-APDU), the same bytes each time it is read.
struct OutgoingTransfer {
  std::string id;           ///< opaque; unique among the transfers of one association
  std::uint64_t size = 0;   ///< bytes, at least 1
  TransferPriority priority = TransferPriority::normal;
  std::optional<OutgoingProgress> progress{};   ///< absent: it never started, or is to start again
};

/// What is stored of an incoming transfer.
struct IncomingState {
  bool completed = false;     ///< TransferComplete was carried out: the message is ours
  std::uint32_t serial = 0;   ///< the last segment that is stored
  std::uint64_t bytes = 0;    ///< up to and with it
  bool operator==(const IncomingState&) const = default;
};

/// What is agreed with one peer. `ours` is what we say, `theirs` what we expect.
struct RtsPeer {
  std::string our_name;       ///< IA5, at most 32 bytes; "" and no password: we give no names (MTSBind NULL)
  Secret our_password;        ///< at most 64 bytes; may be empty
  std::string peer_name;      ///< compared without case; "": any
  Secret peer_password;       ///< compared with case, in constant time
  std::uint32_t checkpoint_size = 30;   ///< units of 1024 bytes; 0: no checkpoints. The smaller of both sides' is used
  std::uint32_t window = 5;             ///< checkpoints that may be unacknowledged, 1…64
};

/// A session to recover: some transfer of it is unfinished.
struct RecoverableSession {
  SessionId id;         ///< OutgoingProgress::latest, or of the incoming transfer
  std::uint32_t checkpoint_size = 0;    ///< as agreed then
  std::uint32_t window = 0;
  bool turn = true;                     ///< the turn was ours: the transfer is an outgoing one
};

// Actions. Carry each out, durably where it says so, before the next one is taken; those in a row without a Write between them may share a commit.

/// The association stands.
struct Bound {
  std::string peer_name;                ///< as given, escaped; "": no names were given
  std::uint32_t checkpoint_size = 0;    ///< agreed, units of 1024 bytes; 0: no checkpoints
  std::uint32_t window = 0;
  bool two_way = true;                  ///< two-way alternate; false: only the initiator sends
  bool recovered = false;
  SessionId session;            ///< store it with every partial transfer, and the sizes
};

/// The transfer begins, or goes on, under this progress. Durable: without it a lost acknowledgement would send the message twice.
struct TransferStarted {
  std::string id;
  OutgoingProgress progress;
};

/// The peer has everything up to here. Not durable means: more is sent again.
struct TransferConfirmed {
  std::string id;
  std::uint32_t serial = 0;
  std::uint64_t bytes = 0;
};

/// The peer is responsible. Durable.
struct TransferSent {
  std::string id;
};

/// It is not sent, and no more will come for this id. `resumable`: keep the progress; otherwise the next attempt starts anew: forget it.
struct TransferFailed {
  std::string id;
  Error error;
  bool resumable = false;
};

/// The next segment of an incoming transfer. Durable: it is acknowledged next.
struct StoreSegment {
  TransferKey key;
  std::uint32_t serial = 0;   ///< from 1, one more each time
  std::string bytes;
  bool first = false;         ///< a new transfer: replaces whatever is stored under the key
};

/// The peer goes on with a transfer of which we have at least `serial` segments: drop what is stored behind it. `also` names it from now on, too. Durable.
struct ResumeIncoming {
  TransferKey key;
  TransferKey also;
  std::uint32_t serial = 0;
};

/// All of the transfer is stored: take the message in, and remember the key (and those it is also known by). Durable: from here on it is ours.
struct TransferComplete {
  TransferKey key;
  std::uint32_t segments = 0;
};

/// The peer gave the transfer up: delete what is stored.
struct DiscardIncoming {
  TransferKey key;
};

struct RtsTraffic {
  std::uint64_t bytes_out = 0;     ///< handed to the line
  std::uint64_t bytes_in = 0;
  std::uint64_t user_out = 0;      ///< of APDUs
  std::uint64_t user_in = 0;
  std::uint32_t sent = 0;          ///< transfers
  std::uint32_t received = 0;
};

/// The association is over; flush what is written, close the connection. Every transfer that was taken from the source had its end before.
struct RtsFinished {
  std::optional<Error> error;      ///< absent: released in order
  bool bound = false;              ///< it stood
  /// The peer cannot, or must not, recover that session (forgotten, or other sizes): forget the progress of its transfers, connect again without.
  bool recovery_refused = false;
  RtsTraffic traffic{};
};

using RtsAction = std::variant<Write, Bound, TransferStarted, TransferConfirmed, TransferSent, TransferFailed, StoreSegment, ResumeIncoming,
                               TransferComplete, DiscardIncoming, RtsFinished>;

}  // namespace longline::x400
