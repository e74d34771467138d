// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/event.hpp"
#include "base/machine.hpp"
#include "base/secret.hpp"
#include "config/config.hpp"
#include "link/link_state.hpp"
#include "link/number_choice.hpp"
#include "link/recorded_login.hpp"
#include "modem/carrier_watch.hpp"
#include "modem/dial_machine.hpp"
#include "modem/hangup_machine.hpp"
#include "script/login_machine.hpp"

namespace longline::link {

inline constexpr int kDialUpFailed = 4106;   ///< Exchange, MSExchangeIMC: the dial-up connection could not be made

struct CallOptions {
  config::Link link;
  std::optional<script::LoginProgram> script;   ///< absent: no login script
  Secret password;
  script::chat::ReadFile read_file{};
  modem::SimPin sim_pin{};
};

struct StateChanged {
  LinkState state;
};
/// Data from the line for whoever uses it.
struct Deliver {
  std::string bytes;
};
struct Happened {
  Event event;
};
/// The line is logged in: PPP may begin on it. What the line sends from now on comes as Deliver, what PPP sends goes to send(). The
/// answer is network_up() or network_ended().
struct StartNetwork {};
/// PPP must end. The answer to the first two is network_ended(); after `at_once` none is waited for.
struct StopNetwork {
  enum class How {
    politely,     ///< with a Terminate-Request
    line_is_gone, ///< it learns that its line has hung up, and says why it ends
    at_once,
  } how = How::politely;
};
/// The last action. Without an error the call ended as it was asked to.
struct Ended {
  std::optional<Error> error;
};

using CallAction = std::variant<Write, SetDtr, SendBreak, SetFraming, DiscardInput, modem::ReopenPort, StateChanged, Deliver, Happened,
                                StartNetwork, StopNetwork, Ended>;

/// When a call must end, whatever it does: the hours of the link, or its budget.
struct MustEnd {
  TimePoint at;
  Error why;
};

/// The life of one call: attempts over all numbers, login, PPP where the link has it, up, hang-up. A machine without I/O
/// (base/machine.hpp); the dialling, script and hang-up machines run inside it. Every state has an end of its own:
/// dial-timeout, login-timeout, network-timeout, idle, max-call, 3 s for the end of PPP and 4.9 s for the hang-up.
class CallMachine {
 public:
  explicit CallMachine(CallOptions options);

  void start(TimePoint now);
  /// Instead of start(): the modem has answered a call and is connected. There is no login, and the end of PPP is no failure.
  void start_answered(std::string connect, std::string leftover, TimePoint now);
  /// The caller has said who it is: from now on this is a call of that link. What belongs to the line stays.
  void become(const config::Link& link);
  void on_bytes(std::string_view bytes, TimePoint now);   ///< from the line
  void on_closed(TimePoint now);                          ///< the port is gone
  void on_time(TimePoint now);
  void on_reopened(modem::Reopened outcome, TimePoint now);   ///< the answer to ReopenPort; until then there is no port
  /// Data Carrier Detect as polled, from before start() on. Not every cable has the wire, and some tie it to a level, as &C0 does.
  /// Going off after it was on is always the end. Being on disproves NO CARRIER in the text only where the wire is known to
  /// follow the carrier: it was off while the number was being dialled.
  void on_carrier(bool carrier, TimePoint now);
  /// PPP is up: the interface runs and has its address.
  void network_up(TimePoint now);
  /// PPP has ended, by itself with a reason, or because it was asked to.
  void network_ended(std::optional<Error> error, TimePoint now);
  /// Somebody uses the link: `idle` begins anew. Of a stream link the machine knows that itself.
  void on_traffic(TimePoint now);
  /// From whoever uses the line, while up; from PPP, until it has ended.
  void send(std::string_view bytes, TimePoint now);
  /// The user of the line is done with it: a carrier that goes away now is no accident. A new user takes that back.
  void session_over(bool over) { session_over_ = over; }
  /// NO CARRIER was heard and may be meant: what waits for the line must not be written now.
  bool suspects_carrier() const { return !dcd_decides() && carries_data() && watch_.suspects(); }
  bool session_is_over() const { return session_over_; }
  /// Nobody would miss the link: idle ends it without an error.
  void nobody_waits(bool nobody) { nobody_waits_ = nobody; }
  /// Asks for the end, in any state. `reason`: why, when it counts as a failure.
  void hang_up(std::optional<Error> reason, TimePoint now);
  /// Replaces what was said before; nullopt: only idle and max-call limit the call.
  void must_end(std::optional<MustEnd> end) { must_end_ = std::move(end); }

  std::optional<TimePoint> deadline() const;
  std::optional<CallAction> next_action();

  /// The dialogue of a login that has just failed, as a transcript with its secrets masked; "" when there is none. Once.
  std::string take_failed_login() { return std::exchange(failed_login_, {}); }
  LinkState state() const { return state_; }
  const CallFacts& facts() const { return facts_; }
  /// The dialogue before the line belongs to its user: what --verbose shows.
  bool in_dialogue() const { return state_ == LinkState::dialing || state_ == LinkState::login || state_ == LinkState::closing; }

 private:
  bool carries_data() const { return state_ == LinkState::up || state_ == LinkState::network || stop_network_by_; }
  void change(LinkState state);
  void dial(const NumberChoice::Next& next, TimePoint now);
  void drain_dial(TimePoint now);
  void drain_script(TimePoint now);
  void drain_hangup(TimePoint now);
  void connected(std::string leftover, TimePoint now);
  void attempt_failed(Error error, TimePoint now);
  void logged_in(const script::Finished& finished, TimePoint now);
  void came_up();
  void network_failed(Error error, TimePoint now);
  void deliver(std::string bytes);
  void carrier_lost(TimePoint now);
  bool dcd_decides() const { return dcd_on_ && (dcd_follows_ || options_.link.modem == config::ModemKind::none); }
  std::optional<TimePoint> limit() const;
  bool end_at_limit(TimePoint now);
  void close(std::optional<Error> reason, modem::ModemState modem, TimePoint now);
  void hang_up_modem(modem::ModemState modem, TimePoint now);
  void finish();

  CallOptions options_;
  NumberChoice numbers_;
  LinkState state_ = LinkState::down;
  CallFacts facts_;
  std::optional<NumberChoice::Next> waiting_;   ///< for the interval between two rounds
  std::optional<TimePoint> wait_until_;
  std::optional<modem::DialMachine> dial_;
  bool reopening_ = false;
  std::optional<RecordedLogin> script_;
  std::string failed_login_;
  std::optional<modem::HangUpMachine> hangup_;
  std::optional<Error> after_hangup_;           ///< an attempt's failure, while its dialling is being broken off
  bool network_ = false;                        ///< PPP has begun and has not ended
  bool line_is_gone_ = false;                   ///< while PPP was coming up: its own word for that is waited for
  std::optional<TimePoint> network_by_;         ///< it must be up then
  std::optional<TimePoint> stop_network_by_;    ///< it was asked to end
  modem::ModemState hang_up_as_ = modem::ModemState::data;   ///< when it has
  modem::CarrierWatch watch_;
  bool dcd_on_ = false;         ///< seen on since the connection was there
  bool dcd_follows_ = false;    ///< seen off while a number was dialled: the wire is not tied
  bool session_over_ = false;
  bool nobody_waits_ = false;
  bool answered_ = false;       ///< the other end has called
  std::optional<TimePoint> last_traffic_;
  std::optional<MustEnd> must_end_;
  std::optional<Error> end_;
  bool ended_ = false;
  std::deque<CallAction> actions_;
};

}  // namespace longline::link
