// SPDX-License-Identifier: MIT
// The AT commands.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <utility>

#include "dial_string.hpp"
#include "modem.hpp"

namespace modemsim {
namespace {

constexpr Duration abort_grace = std::chrono::milliseconds(125);

char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

// The digits at the front, 0 without any; more than 65535 stays so.
int take_number(std::string_view& rest) {
  int number = 0;
  while (!rest.empty() && std::isdigit(static_cast<unsigned char>(rest.front())) != 0) {
    number = std::min(number * 10 + (rest.front() - '0'), 65535);
    rest.remove_prefix(1);
  }
  return number;
}

bool one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// V.250 settings that every modem takes and that mean nothing here.
bool is_harmless(std::string_view command) {
  for (const std::string_view name : {"+DR", "+DS", "+ER", "+ES", "+FCLASS", "+ICF", "+IFC", "+IPR", "+MR", "+MS"}) {
    if (command.starts_with(name) && command.size() > name.size() && command[name.size()] == '=') return true;
  }
  return false;
}

}  // namespace

void Modem::run_line(const std::string& text, Instant now) {
  std::string_view rest = text;
  while (!rest.empty()) {
    if (run_command(rest, now) == Next::stop) return;
  }
  result(Result::ok);
}

Modem::Next Modem::fail() {
  result(Result::error);
  return Next::stop;
}

void Modem::inform(std::string_view text) {
  if (deaf() || !open_) return;
  if (settings_.verbose) output_ += "\r\n";
  output_ += text;
  output_ += "\r\n";
}

Modem::Next Modem::run_command(std::string_view& rest, Instant now) {
  const char c = upper(rest.front());
  if (c == ' ') {
    rest.remove_prefix(1);
    return Next::go_on;
  }
  if (one_of(c, "+^$#*")) return run_named(rest, now);
  rest.remove_prefix(1);
  switch (c) {
    case 'D': return dial(std::exchange(rest, {}), now);
    case 'S': return run_register(rest);
    case '=':
    case '?': return run_register_action(rest = std::string_view(rest.data() - 1, rest.size() + 1));
    case '&': return run_ampersand(rest, now);
    case '%':
    case '\\':
    case '-':
      if (rest.empty() || std::isalpha(static_cast<unsigned char>(rest.front())) == 0) return fail();
      rest.remove_prefix(1);
      take_number(rest);
      return Next::go_on;
    default: break;
  }
  const int number = take_number(rest);
  switch (c) {
    case 'A': return answer(now);
    case 'O': return number <= 1 ? go_online(now) : fail();
    case 'H': return run_hook(number, now);
    case 'Z':
      reset(stored_, now);
      result(Result::ok);
      return Next::stop;
    case 'I':
      inform(scenario_.modem.identity);
      return Next::go_on;
    case 'E':
    case 'Q':
    case 'V':
    case 'X': return set_flag(c, number);
    default: return one_of(c, "BCKLMNPTWY") ? Next::go_on : fail();
  }
}

Modem::Next Modem::set_flag(char name, int number) {
  if (number > (name == 'X' ? 4 : name == 'Q' ? 2 : 1)) return fail();
  if (name == 'E') settings_.echo = number != 0;
  if (name == 'Q') settings_.quiet = number;
  if (name == 'V') settings_.verbose = number != 0;
  if (name == 'X') settings_.extended = number;
  return Next::go_on;
}

Modem::Next Modem::run_hook(int number, Instant now) {
  if (number > 1) return fail();
  if (number == 0 && !exchange_.idle()) hang_up("ATH", now);
  return Next::go_on;
}

Modem::Next Modem::run_register(std::string_view& rest) {
  last_register_ = take_number(rest);
  if (last_register_ > 255) return fail();
  return rest.empty() || !one_of(rest.front(), "=?") ? Next::go_on : run_register_action(rest);
}

Modem::Next Modem::run_register_action(std::string_view& rest) {
  const char action = rest.front();
  rest.remove_prefix(1);
  std::uint8_t& value = settings_.registers[static_cast<std::size_t>(last_register_)];
  if (action == '?') {
    char text[8];
    std::snprintf(text, sizeof text, "%03d", value);
    inform(text);
    return Next::go_on;
  }
  const int number = take_number(rest);
  if (number > 255) return fail();
  value = static_cast<std::uint8_t>(number);
  return Next::go_on;
}

Modem::Next Modem::run_ampersand(std::string_view& rest, Instant now) {
  if (rest.empty() || std::isalpha(static_cast<unsigned char>(rest.front())) == 0) return fail();
  const char c = upper(rest.front());
  rest.remove_prefix(1);
  const int number = take_number(rest);
  switch (c) {
    case 'C':
      if (number > 1) return fail();
      settings_.carrier_line = number;
      break;
    case 'D':
      if (number > 3) return fail();
      settings_.dtr = number;
      break;
    case 'F': reset(factory_, now); break;
    case 'W': stored_ = settings_; break;
    case 'V': inform(profile_text()); break;
    case 'Z': rest = {}; break;  // &Zn=NUMBER stores a number
    default: break;
  }
  return Next::go_on;
}

Modem::Next Modem::run_named(std::string_view& rest, Instant now) {
  std::string command;
  bool quoted = false;
  while (!rest.empty() && (quoted || rest.front() != ';')) {
    if (rest.front() == '"') quoted = !quoted;
    if (rest.front() != ' ' || quoted) command += quoted ? rest.front() : upper(rest.front());
    rest.remove_prefix(1);
  }
  if (!rest.empty()) rest.remove_prefix(1);
  for (const auto& [pattern, reply] : scenario_.modem.replies) {
    if (!matches_pattern(pattern, command)) continue;
    if (reply.empty() || reply == "OK") return Next::go_on;
    if (reply == "ERROR") return fail();
    inform(reply);
    const bool final = reply.starts_with("+CME ERROR") || reply.starts_with("+CMS ERROR");
    return final ? Next::stop : Next::go_on;
  }
  if (const auto answer = cellular_.on_command(command, now)) return run_cellular(*answer, now);
  const bool asks_cellular = scenario_.gsm.present && (command == "+CGMI" || command == "+CGMM" || command == "+CGMR");
  if (command == "+GMI" || command == "+GMM" || command == "+GMR" || asks_cellular) {
    inform(scenario_.modem.identity);
    return Next::go_on;
  }
  if (command == "+GCAP") {
    inform("+GCAP: +MS,+ES,+DS,+FCLASS");
    return Next::go_on;
  }
  return is_harmless(command) ? Next::go_on : fail();
}

Modem::Next Modem::run_cellular(const Cellular::Answer& answer, Instant now) {
  for (const std::string& line : answer.lines) inform(line);
  if (!answer.ok) return answer.lines.empty() ? fail() : Next::stop;
  if (!answer.restarts) return Next::go_on;
  result(Result::ok);
  reset(stored_, now);
  restarted_at_ = now + scenario_.gsm.restart;
  return Next::stop;
}

void Modem::reset(const Settings& settings, Instant now) {
  if (!exchange_.idle()) hang_up("ATZ", now);
  settings_ = settings;
}

std::string Modem::profile_text() const {
  char text[128];
  std::snprintf(text, sizeof text, "E%d Q%d V%d X%d &C%d &D%d S0:%03d S2:%03d S7:%03d S12:%03d", settings_.echo ? 1 : 0,
                settings_.quiet, settings_.verbose ? 1 : 0, settings_.extended, settings_.carrier_line, settings_.dtr,
                settings_.registers[0], settings_.registers[2], settings_.registers[7], settings_.registers[12]);
  return text;
}

Modem::Next Modem::dial(std::string_view text, Instant now) {
  const DialString wanted = parse_dial_string(text);
  if (!wanted.valid || state_ == State::escaped || exchange_.call() != nullptr) return fail();
  if (!wanted.redial) last_digits_ = wanted.digits;
  if (wanted.stays_in_command) return Next::go_on;
  if (rings_left_ != 0) hang_up("collision", now);
  const Exchange::Answer answer = exchange_.dial(last_digits_, now);
  if (exchange_.faults().vanish_on_dial) vanished_ = true;
  const Duration limit = settings_.carrier_limit();
  Duration delay = answer.delay.value_or(scenario_.modem.answer_delay);
  dial_result_ = result_of(answer.fate, settings_.extended, wanted.waits_for_answer);
  dial_text_ = answer.text;
  if (scenario_.gsm.present && !cellular_.may_call()) {
    dial_result_ = Result::no_carrier;
    dial_text_.clear();
  }
  if (answer.fate == Fate::no_answer && !answer.delay) delay = limit;
  if (delay > limit) {
    delay = limit;
    dial_result_ = Result::no_carrier;
    dial_text_.clear();
  }
  state_ = State::dialling;
  ignore_until_ = now + abort_grace;
  dial_result_at_ = now + wanted.pauses * settings_.comma_pause() + delay;
  return Next::stop;
}

Modem::Next Modem::answer(Instant now) {
  if (exchange_.call() != nullptr) return fail();
  const bool ringing = !exchange_.idle();
  incoming_ = true;
  dial_text_.clear();
  dial_result_ = ringing ? Result::connect : Result::no_carrier;
  state_ = State::answering;
  rings_left_ = 0;
  ring_at_ = never;
  ignore_until_ = now + abort_grace;
  dial_result_at_ = now + (ringing ? scenario_.modem.answer_delay : settings_.carrier_limit());
  return Next::stop;
}

Modem::Next Modem::go_online(Instant now) {
  if (state_ != State::escaped) {
    result(Result::no_carrier);
    return Next::stop;
  }
  enter_online(now);
  return Next::stop;
}

}  // namespace modemsim
