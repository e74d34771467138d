// SPDX-License-Identifier: MIT
// A Hayes modem. Bytes of the DTE, its DTR and the time go in; what the DTE gets comes out of output(). The call itself is the
// exchange's. What each command does is in modem_commands.cpp.
#pragma once

#include <string>
#include <string_view>

#include "cellular.hpp"
#include "command_line.hpp"
#include "event_log.hpp"
#include "exchange.hpp"
#include "instant.hpp"
#include "noise.hpp"
#include "result_code.hpp"
#include "scenario.hpp"
#include "settings.hpp"

namespace modemsim {

class Modem {
 public:
  // All must outlive the modem.
  Modem(const Scenario& scenario, Exchange& exchange, EventLog& log);

  void on_open(Instant now);
  // The port was closed, or its speed set to B0: DTR is off.
  void on_dtr_dropped(bool closed, Instant now);

  // How many bytes the modem takes from the DTE now; 0 while the line's buffer is full.
  std::size_t accepts(Instant now) const;
  void on_bytes(std::string_view bytes, Instant now);

  // Results that are due, the carrier, what the line brings. True if anything moved.
  bool pump(Instant now);
  Instant deadline() const;
  // The line's bytes are wanted.
  bool takes_from_line() const;

  // What goes to the DTE; the caller erases what was written.
  std::string& output() { return output_; }

  void drop_carrier(Instant now);     // SIGUSR1
  void start_ringing(Instant now);    // SIGUSR2, or the scenario
  bool vanished() const { return vanished_; }

 private:
  enum class State { command, dialling, answering, online, escaped };
  enum class Next { go_on, stop };  // whether the rest of a command line is still to be looked at

  // Command state.
  void on_command_byte(char c, Instant now);
  void run_line(const std::string& text, Instant now);
  Next run_command(std::string_view& rest, Instant now);
  Next run_register(std::string_view& rest);
  Next run_register_action(std::string_view& rest);
  Next run_ampersand(std::string_view& rest, Instant now);
  Next run_named(std::string_view& rest, Instant now);  // AT+… and those that only the scenario knows
  Next run_cellular(const Cellular::Answer& answer, Instant now);
  Next run_hook(int number, Instant now);
  Next set_flag(char name, int number);
  Next dial(std::string_view text, Instant now);
  Next answer(Instant now);
  Next go_online(Instant now);
  Next fail();
  void inform(std::string_view text);
  void reset(const Settings& settings, Instant now);
  std::string profile_text() const;

  // Nothing is echoed and nothing answered.
  bool deaf() const { return exchange_.faults().silent || restarted_at_ != never || (exchange_.faults().hung && !restarted_); }
  bool working() const { return work_until_ != never && (state_ == State::command || state_ == State::escaped); }

  // Calls.
  void finish_dialling(Instant now);
  void abort_dialling(Instant now);
  void enter_online(Instant now);
  void on_data(std::string_view bytes, Instant now);
  void watch_escape(char c, Instant now);
  void check_carrier(Instant now);
  void hang_up(std::string_view cause, Instant now);
  void pump_ringing(Instant now);

  void result(Result result);
  void result_text(std::string_view text, int digits);
  void send_connect();
  void babble(Instant now);

  const Scenario& scenario_;
  Exchange& exchange_;
  EventLog& log_;
  Cellular cellular_;
  Settings factory_;
  Settings stored_;
  Settings settings_;
  State state_ = State::command;
  bool open_ = false;
  bool vanished_ = false;
  CommandLine line_;
  std::string output_;

  Instant work_until_ = never;  // a command line waits to be run
  std::string held_;            // what came meanwhile
  int last_register_ = 0;

  std::string last_digits_;
  Result dial_result_ = Result::no_carrier;
  std::string dial_text_;
  Instant dial_result_at_ = never;
  Instant ignore_until_{0};  // a character that comes right after the command line does not abort the dialling
  bool incoming_ = false;

  Instant last_data_at_{0};
  int escapes_ = 0;
  Instant escaped_at_ = never;
  Instant carrier_lost_at_ = never;

  Instant ring_at_ = never;
  int rings_left_ = 0;
  Instant babble_at_ = never;
  bool restarted_ = false;          // by AT+CFUN=1,1
  Instant restarted_at_ = never;    // it is on its way
  Noise noise_{7};
};

}  // namespace modemsim
