// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "modem/line_reader.hpp"
#include "modem/registration.hpp"

namespace longline::modem {

/// The SIM's PIN, and the memory that keeps a refused one from being tried again: three tries lead to the PUK.
struct SimPin {
  Secret pin{};                                 ///< empty: none is configured
  std::function<Result<void>()> before{};       ///< before it is sent: remembers that. An error keeps it from being sent
  std::function<void(bool taken)> after{};      ///< the SIM has answered
};

struct GsmOptions {
  std::string number;                           ///< "*99***1#"; its context is the one that `apn` is set for
  std::string apn{};                            ///< empty: the modem keeps what it has
  Duration registration_timeout{60'000};
  bool roaming = false;                         ///< a foreign network will do
  SimPin pin{};
};

/// The last action. Without an error the modem may dial.
struct GsmReady {
  std::optional<Error> error;
  std::optional<int> signal_dbm{};              ///< -113…-51
};

using GsmAction = std::variant<Write, GsmReady>;

/// What a cellular modem needs between its initialisation and the dial command: AT+CMEE=1, the SIM and its PIN, the context's APN,
/// registration in a network, the signal's strength (3GPP TS 27.007). A machine without I/O (base/machine.hpp). Each command has
/// its own limit (command_limit.hpp); a SIM that is busy gets 20 s, the network registration-timeout. Stage modem.
///
/// The PIN is entered once in a machine's life. Errors: sim_missing, sim_pin_refused, config (a PIN is needed and none is set),
/// not_registered, registration_denied, roaming_refused, modem_error, modem_silent.
class GsmMachine {
 public:
  explicit GsmMachine(GsmOptions options) : options_(std::move(options)), registration_(options_.number.starts_with("*9")) {}

  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const { return deadline_; }
  std::optional<GsmAction> next_action();

 private:
  enum class Step { idle, errors, sim, sim_wait, pin, context, registration, registration_wait, signal, done };

  void ask(Step step, std::string command, TimePoint now, bool secret = false);
  void on_line(const std::string& line, TimePoint now);
  void on_sim(const std::string& line, TimePoint now);
  void on_sim_state(const std::string& state, TimePoint now);
  void enter_pin(TimePoint now);
  void on_pin(const std::string& line, TimePoint now);
  void wait_for_sim(TimePoint now);
  void set_context(TimePoint now);
  void ask_registration(TimePoint now);
  void judge_registration(TimePoint now);
  void on_registration(const std::string& line, TimePoint now);
  void fail(Errc code, std::string what, std::string hint = "");
  void fail_with_signal(Error error, TimePoint now);
  void finish();

  GsmOptions options_;
  Registration registration_;
  Step step_ = Step::idle;
  std::string command_;                         ///< the last, without AT and CR
  LineReader lines_;
  std::string sim_state_;                       ///< of +CPIN?, until its OK is there
  bool pin_sent_ = false;
  std::optional<TimePoint> sim_until_;
  std::optional<TimePoint> registered_by_;
  std::optional<Error> error_;
  std::optional<int> signal_dbm_;
  std::optional<TimePoint> deadline_;
  std::deque<GsmAction> actions_;
};

/// The commands of a cellular call up to the dial command, as `dialctl plan` shows them: without the PIN.
std::vector<std::string> gsm_commands(const GsmOptions& options);

/// The context that a number dials: 2 for "*99***2#", else 1.
int context_of(std::string_view number);

}  // namespace longline::modem
