// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "x400/spdu.hpp"
#include "x400/transport.hpp"

namespace longline::x400 {

struct SessionOptions {
  TransportOptions transport{};                            ///< `initiator` is the session's too; `opening` and `longest_tsdu` follow from what is below
  std::string calling_selector;                            ///< at most 16 octets; "" none
  std::string called_selector;                             ///< the responder: what a CN must ask for where it asks at all; "" any
  std::uint8_t versions = kSessionVersion1 | kSessionVersion2;
  std::size_t longest_ssdu = 16u << 20;                    ///< octets that a peer's S-DATA may have, its DTs taken together;
                                                           ///< before the session is open nothing may be longer than 64 KiB
  Duration opening = std::chrono::seconds(60);             ///< from start() to SessionConnected, or for the responder to accept() or refuse()
  Duration release = std::chrono::seconds(120);            ///< for the answer to FN, and for the peer to close behind DN
  Duration abort = std::chrono::seconds(5);                ///< for the answer to AB, so that it is read before the line is closed
};

/// S-CONNECT request. The turn (data, minor synchronization and major/activity token) goes as one.
struct ConnectRequest {
  SessionReferences references{};                          ///< `user` is the calling one
  bool turn = true;                                        ///< ours at first
  std::string user_data;                                   ///< at most 10240 octets
  bool secret = false;                                     ///< user_data holds a password
};

/// The responder's indication, or the initiator's confirmation.
struct SessionConnected {
  SessionReferences references{};                          ///< the peer's; `user` is the calling or the called one
  std::string calling_selector;                            ///< session selectors
  std::string called_selector;
  int version = 1;                                         ///< in force; for the responder: what accept() will choose
  bool turn = false;                                       ///< ours at first
  std::string user_data;
};

/// S-DATA indication.
struct DataArrived {
  std::string bytes;
};

/// S-SYNC-MINOR indication: all before it has arrived. Answer with confirm_minor().
struct MinorSyncArrived {
  std::uint32_t serial = 0;
  bool wants_answer = true;                                ///< an answer is allowed in any case
};
/// Its confirmation, of all points up to this one.
struct MinorSyncConfirmed {
  std::uint32_t serial = 0;
};

struct ActivityStarted {
  std::string id;                                          ///< 0 … 6 octets
};
/// The next point is serial + 1.
struct ActivityResumed {
  Resumption from{};
};
/// S-ACTIVITY-END indication; answer with confirm_end().
struct ActivityEnding {
  std::uint32_t serial = 0;
};
struct ActivityEndConfirmed {
  std::uint32_t serial = 0;
};
/// S-ACTIVITY-INTERRUPT indication (to be resumed), or S-ACTIVITY-DISCARD; answer with confirm_stop().
struct ActivityStopping {
  bool discard = false;
  std::optional<SessionReason> reason{};
};
struct ActivityStopConfirmed {
  bool discard = false;
};

/// S-TOKEN-PLEASE indication: the peer asks for the turn.
struct TurnAsked {
  std::string user_data;                                   ///< the priority, as RTS encodes it
};
/// S-CONTROL-GIVE indication: the turn is ours.
struct TurnGiven {};

/// S-U-EXCEPTION-REPORT, or the provider's, to the sender: only stop_activity() and abort() are allowed now.
struct ExceptionReported {
  bool by_provider = false;
  std::optional<SessionReason> reason{};
  std::string user_data;
};

/// S-RELEASE indication; answer with confirm_release().
struct ReleaseAsked {
  std::string user_data;
};

enum class SessionEnd {
  released,      ///< by FN and DN; no error
  refused,       ///< RF, or the transport refused
  user_abort,    ///< AB from the peer's user
  peer_abort,    ///< AB from the peer's protocol machine
  ours,          ///< abort() of ours, or the peer broke the protocol, or a deadline passed
  line,          ///< the line ended
};

/// The last action: close the line when it is flushed.
struct SessionFinished {
  SessionEnd end = SessionEnd::line;
  std::optional<Error> error{};                            ///< absent after a release, and after abort()
  std::optional<int> reason{};                             ///< of a refusal: 0, 1, 2, 0x81 … 0x86
  std::string user_data{};                                 ///< of a refusal with reason 2, of a user's abort, of DN
};

using SessionAction = std::variant<Write, SessionConnected, DataArrived, MinorSyncArrived, MinorSyncConfirmed, ActivityStarted, ActivityResumed, ActivityEnding,
                                   ActivityEndConfirmed, ActivityStopping, ActivityStopConfirmed, TurnAsked, TurnGiven, ExceptionReported, ReleaseAsked,
                                   SessionFinished>;

/// Both sides of the session protocol as the reliable transfer service uses it (X.225; half-duplex, minor synchronization, activity management,
/// exceptions), with the transport below it: bytes of a TCP connection in, Writes out. Machine without I/O.
///
/// One SPDU is taken at a time: next_action() looks at further input only when the actions of the one before are taken. So what is
/// asked for between two actions meets the state that the last of them left.
///
/// A call that the state does not allow is Errc::software, and nothing is sent; after SessionFinished every call is. What the peer may not
/// send ends with a provider abort and Errc::protocol. What crosses our own interrupt, discard, exception or turn on its way is dropped as
/// X.225 says: no action. So is an interrupt that crosses our confirm_end(): it is answered, and the activity has ended.
/// Errc besides: line_dropped, deadline, busy, next_hop_unreachable, refused; caller_refused of a selector that is not ours.
class Session {
 public:
  explicit Session(SessionOptions options);

  void start(TimePoint now);
  void on_bytes(std::string_view in, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const;
  std::optional<SessionAction> next_action();

  /// The initiator, once, before start() or after: CN goes when the transport is open.
  Result<void> connect(ConnectRequest request);
  /// The responder, after SessionConnected. `called` is our own reference.
  Result<void> accept(SessionReferences called, std::string user_data, bool secret = false);
  /// `reason`: 0 none, 1 congestion, 2 with user data, 0x81 … 0x86 as in X.225, 8.3.5.10.
  Result<void> refuse(int reason, std::string user_data, TimePoint now);

  /// Need the turn.
  Result<void> start_activity(std::string_view id);
  /// from.serial: the last point that the peer confirmed.
  Result<void> resume_activity(const Resumption& from);
  /// In an activity, and until end_activity(). At least one octet.
  Result<void> send_data(std::string_view ssdu);
  /// The point's serial number.
  Result<std::uint32_t> minor_sync();
  Result<std::uint32_t> end_activity();
  /// In an activity, also when its end is not confirmed yet, or after ExceptionReported. What was confirmed before the answer comes is reported no more.
  Result<void> stop_activity(bool discard, std::optional<SessionReason> reason);
  /// Outside activities.
  Result<void> give_turn();
  Result<void> release(std::string_view user_data, TimePoint now);

  /// Need the peer to have the turn.
  Result<void> confirm_minor(std::uint32_t serial);
  Result<void> confirm_end();
  Result<void> confirm_stop();
  /// In an activity: what the peer sends from here to its interrupt, discard or abort is dropped.
  Result<void> report_exception(SessionReason reason, std::string_view user_data = {});
  Result<void> ask_turn(std::string_view user_data);
  Result<void> confirm_release(std::string_view user_data, TimePoint now);

  /// S-U-ABORT: at any time. In version 1 user data of more than 9 octets stays behind.
  Result<void> abort(std::string_view user_data, TimePoint now);

  bool turn() const { return turn_; }                      ///< ours
  bool in_activity() const { return activity_; }
  bool finished() const { return state_ == State::finished; }
  /// Serial number of the next point.
  std::uint32_t next_serial() const { return next_serial_; }
  /// Octets that came of an SSDU which is not whole: the peer is sending.
  std::size_t pending() const { return ssdu_.size() + transport_.pending(); }

 private:
  /// X.225's states, as far as these functional units have them.
  enum class State {
    idle,
    connecting,         // the transport, then CN out
    awaiting_request,   // the responder's transport, then the CN
    deciding,           // CN in
    open,
    ending,             // AE out
    end_indicated,      // AE in
    stopping,           // AI or AD out
    stop_indicated,     // AI or AD in
    excepted,           // ED or ER in
    excepting,          // ED out
    giving,             // GTC out
    releasing,          // FN out
    release_indicated,  // FN in
    released,           // DN out: the peer closes
    aborting,           // AB or RF out
    finished,
  };
  static std::string_view words(State state);

  void take_transport(TransportAction action);
  void take_tsdu(std::string_view tsdu);
  void take(Spdu spdu);
  void take_connect(Spdu& spdu);
  void take_accept(Spdu& spdu);
  void take_refuse(Spdu& spdu);
  void take_abort(Spdu& spdu);
  void take_tokens(Spdu& spdu);
  void take_control(const Spdu& spdu);
  void take_release(Spdu& spdu);
  void take_data(Spdu& spdu);
  void take_sync(const Spdu& spdu);
  void take_activity(Spdu& spdu);
  void take_exception(Spdu& spdu);
  void take_stop(const Spdu& spdu);
  void take_stop_answer(const Spdu& spdu, bool discard);
  void take_turn_request(Spdu& spdu);

  bool in(std::initializer_list<State> states) const;
  bool sending() const { return turn_ && activity_; }
  bool receiving() const { return !turn_ && activity_; }
  Result<void> allow(bool allowed, SpduKind kind) const;
  Result<void> send(const Spdu& spdu, bool secret = false);
  Spdu connect_spdu(const ConnectRequest& request) const;
  void send_connect();
  void open();
  Result<void> check_size(std::size_t user_data) const;
  Result<void> answer_stop();
  void begin_activity(std::uint32_t first);
  std::uint32_t first_beyond() const;
  void out_of_place(const Spdu& spdu);
  void refuse_by_provider(int reason, Error error);
  void abort_by_provider(Error error);
  void linger(State state, TimePoint now, SessionFinished after);
  void finish(SessionFinished how);
  std::optional<Duration> patience() const;

  SessionOptions options_;
  Transport transport_;
  State state_ = State::idle;
  TimePoint now_{};
  TimePoint since_{};                          // of what is waited for
  std::deque<SessionAction> actions_;
  std::optional<SessionFinished> last_;        // what comes behind the Writes, or behind the lingering
  bool transport_open_ = false;
  std::optional<ConnectRequest> request_;      // not sent yet
  bool connected_once_ = false;                // connect() was called
  bool turn_requested_ = true;
  int version_ = 1;
  std::optional<std::uint32_t> tsdu_sizes_;
  std::optional<std::uint8_t> token_setting_;  // our choice, where the caller left it to us
  std::optional<std::string> asked_selector_;
  std::size_t longest_out_ = 0;                // octets of a TSDU that the peer takes; 0 any
  bool behind_prefix_ = false;
  bool turn_ = false;
  bool activity_ = false;
  bool discard_ = false;
  bool just_ended_ = false;                    // AEA is out, and the peer has sent nothing since that shows that it has come
  std::uint32_t next_serial_ = 1;              // X.225's V(M)
  std::uint32_t unconfirmed_ = 1;              // V(A): the first that is not
  std::string ssdu_;
  bool in_ssdu_ = false;
};

}  // namespace longline::x400
