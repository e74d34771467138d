// SPDX-License-Identifier: MIT
#include "scenario.hpp"

#include <array>
#include <utility>

#include "cellular_reader.hpp"
#include "fault_reader.hpp"
#include "table_reader.hpp"

namespace modemsim {
namespace {

constexpr std::array<std::pair<std::string_view, Fate>, 9> fate_names{{
    {"connect", Fate::connect},
    {"busy", Fate::busy},
    {"no-answer", Fate::no_answer},
    {"no-carrier", Fate::no_carrier},
    {"no-dialtone", Fate::no_dialtone},
    {"voice", Fate::voice},
    {"delayed", Fate::delayed},
    {"blacklisted", Fate::blacklisted},
    {"error", Fate::error},
}};

std::optional<Fate> parse_fate(std::string_view name) {
  for (const auto& [text, fate] : fate_names) {
    if (text == name) return fate;
  }
  return std::nullopt;
}

void read_line(TableReader reader, LineScenario& line) {
  reader.read("rate", line.rate, 0, 1'000'000'000);
  reader.read("rtt", line.rtt);
  reader.read("buffer", line.buffer, 1, 1 << 24);
  reader.finish();
}

void read_modem(TableReader reader, ModemScenario& modem) {
  reader.read("profile", modem.profile);
  reader.read("connect-text", modem.connect_text);
  reader.read("identity", modem.identity);
  reader.read("answer-delay", modem.answer_delay);
  reader.read("command-delay", modem.command_delay);
  reader.read("carrier-loss-delay", modem.carrier_loss_delay);
  reader.read("replies", modem.replies);
  std::string fate;
  if (reader.read("unknown-number", fate)) {
    if (const auto parsed = parse_fate(fate)) modem.unknown_number = *parsed;
    else reader.fail("unknown-number", "not a fate: " + fate);
  }
  reader.finish();
}

NumberScenario read_number(TableReader reader) {
  NumberScenario number;
  if (!reader.read("number", number.pattern)) reader.fail("number", "is missing");
  std::vector<std::string> names;
  std::string name;
  if (reader.read("fate", name)) names.push_back(name);
  reader.read("fates", names);
  if (!names.empty()) number.fates.clear();
  for (const std::string& each : names) {
    if (const auto fate = parse_fate(each)) number.fates.push_back(*fate);
    else reader.fail(name.empty() ? "fates" : "fate", "not a fate: " + each);
  }
  Duration delay{};
  if (reader.read("delay", delay)) number.delay = delay;
  reader.read("text", number.text);
  reader.finish();
  return number;
}

LoginStep read_step(TableReader reader, bool echo) {
  LoginStep step;
  step.echo = echo;
  reader.read("send", step.send);
  std::string expect;
  if (reader.read("expect", expect)) step.expect = expect;
  if (expect == "$password") step.echo = false;
  reader.read("echo", step.echo);
  reader.read("delay", step.delay);
  reader.finish();
  return step;
}

void read_login(TableReader reader, Complaint& complaint, LoginScenario& login) {
  reader.read("echo", login.echo);
  reader.read("user", login.user);
  reader.read("password", login.password);
  reader.read("tries", login.tries, 1, 1000);
  reader.read("refusal", login.refusal);
  Duration timeout{};
  if (reader.read("timeout", timeout)) login.timeout = timeout;
  for (const toml::table* step : reader.tables("steps")) {
    login.steps.push_back(read_step(TableReader(step, complaint), login.echo));
  }
  reader.finish();
}

void read_far_end(TableReader reader, FarEndScenario& far_end) {
  reader.read("command", far_end.command);
  reader.read("directory", far_end.directory);
  reader.read("environment", far_end.environment);
  reader.read("stderr", far_end.error_file);
  reader.read("pty", far_end.pty);
  reader.read("grace", far_end.grace);
  reader.finish();
}

void read_incoming(TableReader reader, IncomingScenario& incoming) {
  Duration after_open{};
  if (reader.read("after-open", after_open)) incoming.after_open = after_open;
  reader.read("rings", incoming.rings, 1, 1000);
  reader.read("interval", incoming.interval);
  reader.finish();
}

}  // namespace

std::string_view to_string(Fate fate) {
  for (const auto& [text, each] : fate_names) {
    if (each == fate) return text;
  }
  return "?";
}

std::variant<Scenario, ScenarioError> read_scenario(const std::string& path) {
  Complaint complaint(path);
  toml::table document;
  try {
    document = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    complaint.say(error.source(), std::string(error.description()));
    return ScenarioError{complaint.text()};
  }
  Scenario scenario;
  TableReader reader(&document, complaint);
  read_line(TableReader(reader.table("line"), complaint), scenario.line);
  read_modem(TableReader(reader.table("modem"), complaint), scenario.modem);
  if (const toml::table* gsm = reader.table("gsm")) scenario.gsm = read_cellular(TableReader(gsm, complaint));
  for (const toml::table* number : reader.tables("number")) {
    scenario.numbers.push_back(read_number(TableReader(number, complaint)));
  }
  read_login(TableReader(reader.table("login"), complaint), complaint, scenario.login);
  read_far_end(TableReader(reader.table("far-end"), complaint), scenario.far_end);
  read_incoming(TableReader(reader.table("incoming"), complaint), scenario.incoming);
  for (const toml::table* fault : reader.tables("fault")) {
    scenario.faults.add(read_fault(TableReader(fault, complaint)));
  }
  reader.finish();
  if (!complaint.empty()) return ScenarioError{complaint.text()};
  return scenario;
}

}  // namespace modemsim
