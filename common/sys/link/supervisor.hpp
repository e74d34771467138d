// SPDX-License-Identifier: MIT
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "base/secret.hpp"
#include "link/call_machine.hpp"
#include "sys/byte_stream.hpp"
#include "sys/event_log.hpp"
#include "sys/file_lock.hpp"
#include "sys/json_channel.hpp"
#include "sys/link/call_account.hpp"
#include "sys/link/line_relay.hpp"
#include "sys/loop.hpp"
#include "sys/port/port.hpp"
#include "sys/port/port_recovery.hpp"
#include "sys/ppp/network.hpp"
#include "sys/signals.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// The one process that owns a link while it is not down: the port, the call, the control socket and the line socket.
/// It ends with the call. Killed at any moment it leaves nothing that the next one does not take over: its locks die
/// with it, the kernel drops DTR at the last close, and a socket file that nobody listens on is replaced.
///
/// Control socket, JSON Lines. In: {"op":"join","kind":"run"|"up"|"demand"|"terminal","pid","command","verbose","grade","now"}, {"op":"leave"},
/// {"op":"status"}, {"op":"down","force"}, {"op":"transfer"} (a report will come), {"op":"report","due","moved","connector"}.
/// Out: {"msg":"state","state"}, {"msg":"up","line"} or {"msg":"up","interface","local","remote"}, {"msg":"trace","text"},
/// {"msg":"dropped","over"}, {"msg":"left","last"},
/// {"msg":"closing","again_ms"} (come again when this connection has ended, or after that time), {"msg":"busy","holders"}, {"msg":"status","status"},
/// {"msg":"end","error"}.
class Supervisor {
 public:
  struct Options {
    link::CallOptions call;
    StatePaths paths;
    UniqueFd first_client;      ///< connected to whoever started us
    link::PppRole role;         ///< of a PPP link
    std::vector<std::string> tool_options;   ///< --config and --root, for the tools that we start
    bool raw = false;           ///< the line is a terminal's: nobody else may join
    bool more_rounds = false;                ///< whoever started us calls again soon when nobody can be reached: that is no failure yet
    /// A call that was answered, on a line that is locked and open already: there is nobody who started us. Whose link it is shows when
    /// the caller has said its name; until then `call.link` is the link on whose modem it came, and nobody can join.
    struct Incoming {
      PortLock lock;
      std::unique_ptr<ByteStream> line;
      std::string connect, leftover;
      std::function<Result<config::Link>(const std::string& caller)> who;
    };
    std::optional<Incoming> incoming;
  };

  /// How a call went on here; its error has been told to every client already.
  enum class Outcome { over, signalled };
  /// Runs the call to its end.
  static Result<Outcome> run(Options options);

 private:
  struct Client {
    explicit Client(UniqueFd fd) : channel(std::move(fd)) {}
    JsonChannel channel;
    Loop::Registration watch;
    bool run = false;           ///< holds the link for as long as it is connected
    bool up = false;            ///< waits for the link, which then stays up by itself
    bool demand = false;        ///< asked for the link and holds it, but idle and down may end it
    bool verbose = false;
    bool urgent = false;        ///< --grade urgent
    bool by_hand = false;       ///< --now
    bool transfers = false;     ///< and has not reported yet
    std::int64_t pid = 0;
    std::string command;
    bool gone = false;
  };

  explicit Supervisor(Options options);
  Result<void> open();
  Result<void> open_incoming();
  Result<void> loop();
  Result<config::Link> identify(const std::string& caller);
  Result<void> claim_link();
  Result<void> claim_link_for_caller();
  void watch_line();

  void accept_client();
  void add_client(UniqueFd fd);
  void on_client(Client& client, short revents);
  void on_request(Client& client, const JsonObject& request);
  void on_join(Client& client, const JsonObject& request);
  void on_down(Client& client, bool force);
  void on_report(Client& client, const JsonObject& report);
  /// The line has ended, and sessions over it have yet to say what they did.
  void await_reports();
  void remove_gone();
  void let_go_if_unheld();
  bool line_is_drained() const;
  void stop_listening();
  bool held() const;
  bool nobody_waits() const;

  void on_line(short revents);
  void write_line();
  void poll_carrier();
  void drain();
  void on_action(link::CallAction action);
  void on_state(link::LinkState state);
  bool offer_line();
  void start_network();
  void stop_network(link::StopNetwork::How how);
  void look_for_traffic();
  void reopen_port(bool run_command);
  void keep_transcript(Event& event, const std::string& dialogue);
  void trace(char direction, std::string_view bytes, bool secret);
  void broadcast(const JsonObject& message);
  void rearm();
  JsonObject status() const;
  JsonObject up_message() const;
  std::vector<JsonObject> holders() const;
  void conclude();
  void keep_books();

  Options options_;
  Loop loop_;
  EventLog events_;
  CallAccount account_;
  std::optional<Signals> signals_;
  std::optional<FileLock> lock_;
  std::optional<PortLock> port_lock_;
  std::unique_ptr<ByteStream> line_;
  std::unique_ptr<LineRelay> relay_;                 ///< of a stream link that is up
  std::unique_ptr<PppNetwork> ppp_, retired_ppp_;    ///< of a PPP link; what has ended goes when nobody is inside it any more
  std::optional<PortRecovery> recovery_;             ///< while the modem is reset: no line, no lock of its port
  link::CallMachine machine_;
  SecretMasker masker_in_, masker_out_;
  UniqueFd control_;
  std::list<Client> clients_;
  std::string to_line_;
  bool persistent_ = false;     ///< `up` was answered: stays until `down`
  bool urgent_ = false;         ///< and was urgent
  bool incoming_ = false;       ///< the caller holds the link
  bool signalled_ = false;
  bool was_up_ = false;
  std::optional<TimePoint> up_since_;
  std::string transcript_hint_;                     ///< after a failed login
  link::LinkState told_ = link::LinkState::down;   ///< as of the last StateChanged; the machine itself may be further
  WallTime since_{};
  std::optional<WallTime> connected_at_;
  std::optional<TimePoint> settling_until_;
  std::int64_t due_ = 0, moved_ = 0;
  bool carrier_known_ = false;  ///< the port has told of DCD before
  std::optional<TimePoint> draining_until_;
  bool ended_ = false;
  std::optional<Error> error_;
  Loop::Registration signal_watch_, control_watch_, line_watch_, timer_, carrier_timer_, orphan_timer_,
      drain_timer_, traffic_timer_, books_timer_, settle_timer_;
};

}  // namespace longline::sys
