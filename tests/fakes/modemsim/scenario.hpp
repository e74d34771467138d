// SPDX-License-Identifier: MIT
// A scenario: the line, the modem, the numbers and their fates, the host's login dialogue, the far end and the faults. Read
// from TOML; tests/fakes/README.md describes the format. Unknown keys and wrong types are errors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cellular.hpp"
#include "faults.hpp"
#include "instant.hpp"

namespace modemsim {

enum class Fate { connect, busy, no_answer, no_carrier, no_dialtone, voice, delayed, blacklisted, error };

std::string_view to_string(Fate fate);

struct LineScenario {
  std::int64_t rate = 0;  // bit/s, ten bits a byte; 0: no limit
  Duration rtt{0};
  std::int64_t buffer = 2048;  // bytes in each modem and direction
};

struct ModemScenario {
  std::string profile = "E1Q0V1X4&C1&D2";  // AT commands that make the factory profile
  std::string connect_text;                // empty: "CONNECT RATE"
  std::string identity = "modemsim";
  Duration answer_delay{0};        // from the end of dialling to the result
  Duration command_delay{0};       // from a command line to its result
  Duration carrier_loss_delay{0};  // from the end of the carrier to NO CARRIER
  Fate unknown_number = Fate::no_carrier;
  std::map<std::string, std::string> replies;  // AT+… and others the modem does not know itself, in upper case
};

struct NumberScenario {
  std::string pattern;  // with * and ?
  std::vector<Fate> fates{Fate::connect};
  std::optional<Duration> delay;
  std::string text;  // the result instead of the usual one
};

struct LoginStep {
  std::string send;
  std::optional<std::string> expect;  // a line; "$user", "$password"; "" any line
  bool echo = true;
  Duration delay{0};
};

struct LoginScenario {
  std::vector<LoginStep> steps;
  bool echo = true;
  std::string user;
  std::string password;
  int tries = 3;
  std::string refusal = "\r\nLogin incorrect\r\n";
  std::optional<Duration> timeout;  // the host hangs up when the login takes longer
};

struct FarEndScenario {
  std::vector<std::string> command;  // empty: the carrier stays, nothing comes, nothing is read
  std::string directory;
  std::map<std::string, std::string> environment;
  std::string error_file;  // where its stderr goes; empty: modemsim's own
  bool pty = false;
  Duration grace = std::chrono::seconds(1);  // from the end of its input to SIGHUP, then to SIGTERM, then to SIGKILL
};

struct IncomingScenario {
  std::optional<Duration> after_open;  // first RING so long after the port was opened; also at SIGUSR2
  int rings = 8;
  Duration interval = std::chrono::seconds(2);
};

struct Scenario {
  LineScenario line;
  ModemScenario modem;
  CellularScenario gsm;
  std::vector<NumberScenario> numbers;  // empty: every number connects
  LoginScenario login;
  FarEndScenario far_end;
  IncomingScenario incoming;
  FaultPlan faults;
};

struct ScenarioError {
  std::string message;  // "FILE:LINE:COLUMN: reason"
};

std::variant<Scenario, ScenarioError> read_scenario(const std::string& path);

}  // namespace modemsim
