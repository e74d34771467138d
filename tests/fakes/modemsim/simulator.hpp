// SPDX-License-Identifier: MIT
// Joins port, modem and exchange in one poll loop, and is the only one who asks for the time.
#pragma once

#include <memory>

#include "dte_port.hpp"
#include "event_log.hpp"
#include "exchange.hpp"
#include "instant.hpp"
#include "modem.hpp"
#include "scenario.hpp"
#include "unique_fd.hpp"

namespace modemsim {

class Simulator {
 public:
  // most_calls: end after so many calls, 0 for no limit. Scenario, port and log must outlive the simulator.
  Simulator(const Scenario& scenario, std::unique_ptr<DtePort> port, EventLog& log, int most_calls);

  // From here on signals are taken; false with errno set if they cannot be.
  bool prepare();
  // Returns when a signal or the number of calls ends it, or a fault makes the port vanish.
  void run();

 private:
  Instant now() const { return std::chrono::steady_clock::now() - begin_; }
  void take_signals(Instant now);
  void update_port(Instant now);
  void on_closed(Instant now);
  void watch_speed(Instant now);
  bool move_bytes(Instant now);
  void wait(Instant now, bool more);
  bool over() const;

  const Scenario& scenario_;
  std::unique_ptr<DtePort> port_;
  EventLog& log_;
  Exchange exchange_;
  Modem modem_;
  int most_calls_;
  int opens_ = 0;
  bool ended_ = false;
  bool speed_was_zero_ = false;
  Instant look_at_speed_{0};
  UniqueFd signals_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace modemsim
