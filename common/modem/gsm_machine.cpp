// SPDX-License-Identifier: MIT
#include "modem/gsm_machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "modem/cme_error.hpp"
#include "modem/command_limit.hpp"
#include "modem/result_code.hpp"

namespace longline::modem {
namespace {

constexpr Duration kSimWait{20'000};      // a SIM is busy for some seconds after the modem has started, and after its PIN
constexpr Duration kSimPoll{500};
constexpr Duration kRegistrationPoll{1'000};
constexpr int kSimBusy = 14, kPinWanted = 11, kPukWanted = 12;

std::string context_command(const GsmOptions& options) {
  return fmt::format("+CGDCONT={},\"IP\",\"{}\"", context_of(options.number), options.apn);
}

/// 27.007, 8.5: 0…31 are -113…-51 dBm, 99 is not known.
std::optional<int> signal_of(std::string_view line) {
  constexpr std::string_view kName = "+CSQ:";
  if (!iequals(line.substr(0, kName.size()), kName)) return std::nullopt;
  const std::optional<std::int64_t> level = parse_integer(trim(split(line.substr(kName.size()), ',')[0]));
  if (!level || *level < 0 || *level > 31) return std::nullopt;
  return -113 + 2 * static_cast<int>(*level);
}

}  // namespace

int context_of(std::string_view number) {
  const std::size_t stars = number.find("***");
  if (stars == std::string_view::npos) return 1;
  const std::string_view rest = number.substr(stars + 3);
  const std::optional<std::int64_t> context = parse_integer(rest.substr(0, rest.find_first_not_of("0123456789")));
  return context && *context >= 1 && *context <= 255 ? static_cast<int>(*context) : 1;
}

std::vector<std::string> gsm_commands(const GsmOptions& options) {
  std::vector<std::string> out = {"AT+CMEE=1", "AT+CPIN?"};
  if (!options.apn.empty()) out.push_back("AT" + context_command(options));
  for (const char* command : {"AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+CSQ"}) out.emplace_back(command);
  return out;
}

void GsmMachine::start(TimePoint now) {
  if (step_ != Step::idle) return;
  sim_until_ = now + kSimWait;
  ask(Step::errors, "+CMEE=1", now);
}

void GsmMachine::ask(Step step, std::string command, TimePoint now, bool secret) {
  step_ = step;
  sim_state_.clear();
  lines_.clear();
  std::string line = "AT" + command;
  deadline_ = now + command_limit(line);
  command_ = secret ? "+CPIN=" : std::move(command);
  actions_.emplace_back(Write{line + "\r", secret});
}

void GsmMachine::on_bytes(std::string_view bytes, TimePoint now) {
  while (!bytes.empty() && step_ != Step::done && step_ != Step::idle) {
    if (step_ == Step::sim_wait || step_ == Step::registration_wait) return;
    const std::optional<std::string> line = lines_.next(bytes);
    if (!line) return;
    on_line(*line, now);
  }
}

void GsmMachine::on_line(const std::string& line, TimePoint now) {
  const std::optional<ResultCode> code = parse_result_code(line);
  const bool over = code == ResultCode::ok || code == ResultCode::error;
  switch (step_) {
    case Step::errors:
      // A modem that does not know it says plain ERROR later.
      if (over) ask(Step::sim, "+CPIN?", now);
      break;
    case Step::sim: on_sim(line, now); break;
    case Step::pin: on_pin(line, now); break;
    case Step::context:
      if (code == ResultCode::error) {
        const std::optional<CmeError> why = parse_cme_error(line);
        fail(Errc::modem_error, fmt::format("the modem refused the access point '{}' ({})", options_.apn, why ? why->meaning : "ERROR"),
             "check 'apn' of the link");
      } else if (code == ResultCode::ok) {
        registered_by_ = now + options_.registration_timeout;
        ask_registration(now);
      }
      break;
    case Step::registration: on_registration(line, now); break;
    case Step::signal:
      if (const std::optional<int> dbm = signal_of(line)) signal_dbm_ = dbm;
      if (over) finish();
      break;
    default: break;
  }
}

void GsmMachine::on_sim(const std::string& line, TimePoint now) {
  constexpr std::string_view kName = "+CPIN:";
  if (iequals(std::string_view(line).substr(0, kName.size()), kName)) {
    sim_state_ = trim(std::string_view(line).substr(kName.size()));
    return;
  }
  const std::optional<ResultCode> code = parse_result_code(line);
  // The OK behind the state, not one that is late: the next command must not find it.
  if (code == ResultCode::ok && !sim_state_.empty()) on_sim_state(std::exchange(sim_state_, {}), now);
  if (code != ResultCode::error) return;
  const std::optional<CmeError> why = parse_cme_error(line);
  if (why && why->number == kSimBusy) wait_for_sim(now);
  else if (why && why->number == kPinWanted) enter_pin(now);
  else if (why && why->number == kPukWanted) on_sim_state("SIM PUK", now);
  else if (why) fail(why->code == Errc::modem_error ? Errc::sim_missing : why->code, fmt::format("the SIM cannot be used: {}", why->meaning),
                     "is the SIM in its holder, the right way round?");
  else fail(Errc::sim_missing, "the modem cannot tell the state of its SIM (ERROR)", "is a SIM in the modem?");
}

void GsmMachine::on_sim_state(const std::string& state, TimePoint now) {
  if (iequals(state, "READY") || iequals(state, "SIM PIN2") || iequals(state, "SIM PUK2")) {
    set_context(now);
  } else if (iequals(state, "SIM PIN")) {
    if (!pin_sent_) enter_pin(now);
    else wait_for_sim(now);   // it was taken a moment ago
  } else if (iequals(state, "SIM PUK")) {
    fail(Errc::sim_pin_refused, "the SIM is blocked: wrong PINs were entered, and it wants its PUK", "unblock it by hand, in a telephone");
  } else {
    fail(Errc::sim_pin_refused, fmt::format("the modem wants {}", escape_at_most(state, 40)), "it is locked to another SIM or network");
  }
}

void GsmMachine::wait_for_sim(TimePoint now) {
  if (now >= *sim_until_) {
    if (pin_sent_) fail(Errc::sim_pin_refused, "the SIM took its PIN and asks for it again");
    else fail(Errc::sim_missing, fmt::format("the SIM was busy for {}", format_duration(kSimWait)));
    return;
  }
  step_ = Step::sim_wait;
  deadline_ = now + kSimPoll;
}

void GsmMachine::enter_pin(TimePoint now) {
  if (options_.pin.pin.empty()) {
    fail(Errc::config, "the SIM wants its PIN, and none is configured", "set 'pin-file' of the link");
    return;
  }
  if (options_.pin.before) {
    if (Result<void> allowed = options_.pin.before(); !allowed) {
      error_ = std::move(allowed).error().in_stage(Stage::modem);
      finish();
      return;
    }
  }
  pin_sent_ = true;
  ask(Step::pin, fmt::format("+CPIN=\"{}\"", options_.pin.pin.reveal()), now, true);
}

void GsmMachine::on_pin(const std::string& line, TimePoint now) {
  const std::optional<ResultCode> code = parse_result_code(line);
  if (code != ResultCode::ok && code != ResultCode::error) return;
  const std::optional<CmeError> why = parse_cme_error(line);
  // Busy is the one error that says nothing about the PIN; it stays remembered as tried.
  const bool busy = why && why->number == kSimBusy;
  if (options_.pin.after && !busy) options_.pin.after(code == ResultCode::ok);
  if (code == ResultCode::ok) {
    sim_until_ = now + kSimWait;
    wait_for_sim(now);
    return;
  }
  fail(busy ? Errc::sim_missing : Errc::sim_pin_refused,
       busy ? "the SIM was busy when its PIN was entered" : fmt::format("the SIM refused the PIN ({})", why ? why->meaning : "ERROR"),
       busy ? "" : "correct 'pin-file'; the same PIN is not tried again but by --now, as the third wrong one blocks the SIM");
}

void GsmMachine::set_context(TimePoint now) {
  if (!options_.apn.empty()) {
    ask(Step::context, context_command(options_), now);
    return;
  }
  registered_by_ = now + options_.registration_timeout;
  ask_registration(now);
}

void GsmMachine::ask_registration(TimePoint now) {
  if (const std::optional<std::string_view> question = registration_.next()) ask(Step::registration, std::string(*question), now);
  else judge_registration(now);
}

void GsmMachine::on_registration(const std::string& line, TimePoint now) {
  if (registration_.on_line(line)) return;
  const std::optional<ResultCode> code = parse_result_code(line);
  if (code == ResultCode::error) registration_.unknown_command();
  if (code == ResultCode::ok || code == ResultCode::error) ask_registration(now);
}

void GsmMachine::judge_registration(TimePoint now) {
  const Registered state = registration_.state();
  if (state == Registered::home || (state == Registered::roaming && options_.roaming) || registration_.knows_none()) {
    ask(Step::signal, "+CSQ", now);
  } else if (state == Registered::roaming) {
    fail_with_signal(Error(Errc::roaming_refused, "the modem is in a foreign network, and the link does not roam", Stage::modem)
                         .with_hint("roaming = true lets it; mind the price"), now);
  } else if (state == Registered::denied) {
    fail_with_signal(Error(Errc::registration_denied, "the network does not admit this SIM (registration denied)", Stage::modem)
                         .with_hint("is the contract in force, and the SIM made for this network?"), now);
  } else if (now >= *registered_by_) {
    fail_with_signal(Error(Errc::not_registered, fmt::format("no network within {} ({})", format_duration(options_.registration_timeout),
                                                             registration_.describe()), Stage::modem)
                         .with_hint("check antenna and place; registration-timeout says how long to wait"), now);
  } else {
    step_ = Step::registration_wait;
    deadline_ = std::min(now + kRegistrationPoll, *registered_by_);
  }
}

void GsmMachine::on_time(TimePoint now) {
  if (!deadline_ || now < *deadline_) return;
  switch (step_) {
    case Step::errors: ask(Step::sim, "+CPIN?", now); break;
    case Step::sim_wait: ask(Step::sim, "+CPIN?", now); break;
    case Step::registration_wait:
      registration_.new_round();
      ask_registration(now);
      break;
    case Step::registration: ask_registration(now); break;
    case Step::signal: finish(); break;
    case Step::sim:
    case Step::pin:
    case Step::context:
      fail(Errc::modem_silent, fmt::format("the modem did not answer AT{} within {}", step_ == Step::context ? "+CGDCONT" : command_,
                                           format_duration(command_limit("AT" + command_))));
      break;
    case Step::idle:
    case Step::done: break;
  }
}

void GsmMachine::on_closed(TimePoint) {
  if (step_ == Step::idle || step_ == Step::done) return;
  fail(Errc::no_device, "the port was closed at its other end");
}

void GsmMachine::fail(Errc code, std::string what, std::string hint) {
  error_ = Error(code, std::move(what), Stage::modem).with_hint(std::move(hint));
  finish();
}

void GsmMachine::fail_with_signal(Error error, TimePoint now) {
  error_ = std::move(error);
  ask(Step::signal, "+CSQ", now);
}

void GsmMachine::finish() {
  step_ = Step::done;
  deadline_.reset();
  actions_.emplace_back(GsmReady{std::move(error_), signal_dbm_});
}

std::optional<GsmAction> GsmMachine::next_action() {
  return take_first(actions_);
}

}  // namespace longline::modem
