// SPDX-License-Identifier: MIT
// The cellular half of a modem (3GPP TS 27.007): SIM and PIN, registration, signal, causes. Commands without their AT go in, what the
// modem says comes out. The scenario's [gsm] table says how it behaves.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event_log.hpp"
#include "instant.hpp"

namespace modemsim {

enum class Sim { ready, pin, puk, missing, failure };

struct CellularScenario {
  bool present = false;
  Sim sim = Sim::ready;
  std::string pin = "1234";
  int pin_tries = 3;                          // wrong ones until the SIM wants its PUK
  Duration pin_delay{0};                      // from the right PIN until the SIM is ready; meanwhile it is busy
  Duration sim_busy{0};                       // so long after the start and after a restart
  std::vector<std::int64_t> registration{1};  // one for each +CREG?, the last repeats; -1: the command is not known
  std::optional<std::vector<std::int64_t>> packet_registration;   // +CGREG?; absent: as registration
  std::optional<std::vector<std::int64_t>> eps_registration;      // +CEREG?
  std::vector<std::int64_t> signal{17};       // +CSQ
  std::string cause = "No cause information available";           // +CEER
  bool refuse_apn = false;
  Duration restart{0};                        // AT+CFUN=1,1: deaf for so long
};

class Cellular {
 public:
  struct Answer {
    std::vector<std::string> lines;
    bool ok = true;                           // else an error, which is among the lines unless it is a plain ERROR
    bool restarts = false;
  };

  // Both must outlive it.
  Cellular(const CellularScenario& scenario, EventLog& log) : scenario_(scenario), log_(log) { restart(Instant(0)); }

  // nullopt: no command of a cellular modem.
  std::optional<Answer> on_command(std::string_view command, Instant now);
  void restart(Instant now);
  // The network would put a call through.
  bool may_call() const;

 private:
  Answer error(int number) const;
  Answer sim_state(Instant now);
  Answer enter_pin(std::string_view command, Instant now);
  Answer registration(std::string_view name, const std::vector<std::int64_t>& sequence);

  const CellularScenario& scenario_;
  EventLog& log_;
  Sim sim_ = Sim::ready;
  int wrong_ = 0;                             // the SIM counts over restarts
  bool blocked_ = false;
  Instant busy_until_{0};
  int error_form_ = 0;                        // +CMEE
  std::map<std::string, std::size_t> asked_;
  std::map<std::string, std::int64_t> registered_;
};

}  // namespace modemsim
