// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace longline::sys {

/// What names an activity beyond the association that it began in (X.228, 8.1.5). Opaque bytes; unique with one peer and in one direction.
struct TransferName {
  std::string session;
  std::string activity;
};

/// The association in which a transfer was under way last, as it was agreed: what a recovery names, and must keep.
struct AgreedSession {
  std::string session;            ///< as in TransferName
  std::string peer;               ///< the connector's name
  std::string mta;                ///< what the peer called itself
  std::int64_t checkpoint_size = 0;   ///< units of 1024 bytes
  std::int64_t window = 0;
  // Where one was found:
  bool outgoing = false;          ///< what is unfinished is ours
  WallTime changed{};             ///< when it moved last
  bool forgets = false;           ///< the peer has forgotten one lately
};

/// A transfer that a peer began: what of it is on the disk, so that it goes on behind the last checkpoint after a cut.
struct IncomingTransfer {
  std::int64_t serial = 0;       ///< of the last checkpoint that is stored; 0: none
  std::int64_t bytes = 0;        ///< up to that checkpoint
  bool completed = false;        ///< taken in; only remembered, so that it is not taken in twice
};

/// The bytes up to the next checkpoint of a peer's transfer.
struct IncomingSegment {
  TransferName name;
  std::int64_t serial = 0;       ///< from 1
  std::string_view bytes;
  bool first = false;            ///< a transfer begins
  std::int64_t transfer = 0;     ///< of one that is not the first: the number that store_segment() or resume_incoming() gave
};

/// What may be kept of transfers that never end, from peers that may be anybody.
struct TransferBounds {
  std::int64_t bytes = 1 << 30;             ///< of all partial transfers of one peer; the oldest go first
  Duration partial_for{5 * 86'400'000LL};   ///< since the last checkpoint
  Duration completed_for{14 * 86'400'000LL};
  std::int64_t completed = 50'000;
};

/// A transfer of ours that was begun. The bytes that it consists of are `prefix` and then, `with_body`, the message's: they come out the same after a
/// restart.
struct OutgoingTransfer {
  std::string id;                ///< of the message
  std::vector<std::string> recipients;
  std::string prefix;
  bool with_body = true;
  std::int64_t size = 0;         ///< of all of it
  TransferName name;             ///< empty: prepared, and not begun
  AgreedSession latest;          ///< its `peer` is the connector's name
  std::int64_t serial = 0;       ///< of the last checkpoint that the peer confirmed
  std::int64_t bytes = 0;        ///< up to that checkpoint
  WallTime changed{};            ///< when it was begun, or a checkpoint was confirmed last
};

}  // namespace longline::sys
