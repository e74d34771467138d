// SPDX-License-Identifier: MIT
// The telephone network behind the modem: decides what becomes of a number that is dialled, counts the calls, holds the call
// that is up, and looks after far ends that outlive their call until they have gone.
#pragma once

#include <poll.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "call.hpp"
#include "event_log.hpp"
#include "instant.hpp"
#include "scenario.hpp"

namespace modemsim {

// '*' stands for any characters, '?' for one.
bool matches_pattern(std::string_view pattern, std::string_view text);

class Exchange {
 public:
  struct Answer {
    Fate fate = Fate::no_carrier;
    std::optional<Duration> delay;  // the number's own
    std::string text;               // the number's own result
  };

  // Both must outlive the exchange.
  Exchange(const Scenario& scenario, EventLog& log) : scenario_(scenario), log_(log) {}

  void on_open(int open);
  // Faults of the call that is being made or is up, else of the time between calls.
  const Faults& faults() const { return faults_; }

  Answer dial(const std::string& digits, Instant now);
  // A call that comes in: counted like the others.
  void ring(Instant now);
  // The call that was dialled, or came in, is up.
  void connect(bool outgoing, Instant now);
  // The call is over before or after it was up. Logged with its cause: "dtr", "ATH", "carrier", "aborted", a fate.
  void hang_up(std::string_view cause, Instant now);

  Call* call() { return call_.get(); }
  const Call* call() const { return call_.get(); }
  int calls() const { return calls_; }
  // No call is being made or up.
  bool idle() const { return !busy_; }

  bool pump(Instant now);
  Instant deadline(Instant now, bool taking) const;
  void add_polls(std::vector<pollfd>& polls, Instant now) const;

 private:
  const Scenario& scenario_;
  EventLog& log_;
  Faults faults_;
  int open_ = 0;
  int calls_ = 0;
  bool busy_ = false;
  std::string digits_;
  std::map<std::size_t, std::size_t> dialled_;  // how often each [[number]] was
  std::unique_ptr<Call> call_;
  std::vector<std::unique_ptr<FarEnd>> leaving_;
};

}  // namespace modemsim
