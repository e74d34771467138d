// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/machine.hpp"
#include "base/time.hpp"
#include "x400/rts_types.hpp"

namespace longline::x400 {

/// What the machine asks of its driver. Called only when every action before has been carried out.
class RtsHost {
 public:
  virtual ~RtsHost() = default;

  /// The next transfer, now leased by the caller; nullopt: none now. Asked again after wake(), after each transfer, whenever the turn comes,
  /// and a last time before the release. On the responder's side: for the peer that find_peer() or find_session() gave, after Bound.
  virtual std::optional<OutgoingTransfer> next_transfer() = 0;
  /// Up to `most` bytes of the APDU from `offset`; never "" before the end. An error, or fewer than OutgoingTransfer::size, ends this transfer.
  virtual Result<std::string> read(const std::string& id, std::uint64_t offset, std::size_t most) = 0;
  /// nullopt: nothing is known of it. Also by the names that ResumeIncoming::also gave.
  virtual std::optional<IncomingState> find_incoming(const TransferKey& key) = 0;

  /// Responder: who calls under this name ("": gave none). Errc::busy: no room now; Errc::auth_refused or caller_refused: not known, or not from there.
  /// The password is the machine's to check.
  virtual Result<RtsPeer> find_peer(std::string_view name) = 0;
  /// Responder: the peer asks for this session again. It gives no name and no password: answer only for sessions of peers that may call from where
  /// this call comes from. Known is a session with a transfer that is unfinished, or that was completed: the peer may not have heard of that. By the
  /// identifiers in TransferKey::session, OutgoingProgress::latest and ResumeIncoming::also. nullopt: not known, the peer will bind anew and send whole.
  struct Recovery {
    RtsPeer peer;
    std::string peer_name;               ///< as bound then
    std::uint32_t checkpoint_size = 0;   ///< as agreed then
  };
  virtual std::optional<Recovery> find_session(const SessionId& id) = 0;
};

struct RtsOptions {
  bool initiator = true;
  // The initiator's
  RtsPeer peer{};
  bool two_way = true;                                 ///< ask for two-way alternate; false: monologue
  std::string reference;                               ///< of this session, at most 40 bytes: unique, and not to be guessed (64 random bits at least)
  WallTime started{};                                  ///< the common reference
  std::optional<RecoverableSession> recover{};
  std::string calling_selector;                        ///< transport selectors, at most 32 bytes; "": none
  std::string called_selector;
  // Both
  Duration opening = std::chrono::minutes(2);          ///< from the first byte to the bind's answer
  Duration acknowledgement = std::chrono::minutes(5);  ///< without any progress, while something is under way
  Duration piece = std::chrono::minutes(2);            ///< for what comes of one SPDU; and a tenth of a second a byte more
  Duration lifetime = std::chrono::minutes(5);         ///< idle, then the initiator releases
  Duration silence = std::chrono::minutes(6);          ///< idle, then the responder aborts: longer than an initiator's usual lifetime
  Duration disconnect = std::chrono::minutes(2);       ///< for the answer to a release
  Duration timeout_per_k[3] = {std::chrono::seconds(1000), std::chrono::seconds(2000), std::chrono::seconds(3000)};  ///< urgent, normal, non-urgent
  int max_transfer_retries = 2;                        ///< of one transfer in one association, after an exception
  Duration transfer_interval = std::chrono::minutes(2);
  std::uint64_t max_transfer = 256u << 20;             ///< an incoming APDU, bytes
  std::uint64_t max_segment = 64u << 20;               ///< bytes between two checkpoints that we take, where there are none
};

/// One association of the Reliable Transfer Service (X.218, X.228) in normal mode, over one TCP connection: RFC 1006, X.224 class 0, X.225, X.226 and
/// X.227 are inside. Initiator or responder, sender and receiver, one transfer at a time; whoever has the turn sends.
/// Machine without I/O. The sender keeps no more of an APDU in memory than the segment it writes; the receiver no more than one segment.
class Rts {
 public:
  /// The host must outlive the machine.
  Rts(RtsOptions options, RtsHost& host);
  Rts(Rts&&) noexcept;
  ~Rts();

  void start(TimePoint now);
  void on_bytes(std::string_view in, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  /// The driver's buffer can now take `free` bytes (an absolute number; 65536 at the start). A segment is written while `free` is above 0, whole.
  /// Call it when bytes left for the line: it is progress.
  void on_writable(std::size_t free, TimePoint now);
  /// There may be something in the source again.
  void wake(TimePoint now);
  /// Take no further transfers; end what is under way, in both directions, then release (responder: abort when nothing is under way).
  void stop(TimePoint now);
  /// An action could not be carried out: what waits is dropped, so that nothing more is acknowledged; Finished with `why` is next. For the peer the line
  /// ends: it can go on later where we are.
  void fail(Error why, TimePoint now);

  std::optional<TimePoint> deadline() const;
  std::optional<RtsAction> next_action();
  RtsTraffic traffic() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace longline::x400
