// SPDX-License-Identifier: MIT
// One call, from CONNECT to the loss of its carrier: the line in both directions, the host's login, then the far end, with the
// faults that belong to this call. The modem puts bytes in and takes bytes out; everything else happens in pump().
#pragma once

#include <poll.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event_log.hpp"
#include "far_end.hpp"
#include "faults.hpp"
#include "instant.hpp"
#include "line_direction.hpp"
#include "login.hpp"
#include "noise.hpp"
#include "scenario.hpp"

namespace modemsim {

class Call {
 public:
  // Scenario and log must outlive the call. A call that came in has no login: the far end calls us.
  Call(const Scenario& scenario, EventLog& log, Faults faults, int number, std::string digits, bool outgoing, Instant now);

  int number() const { return number_; }
  const Faults& faults() const { return faults_; }

  std::size_t room(Instant now) const { return carrier_ ? up_.room(now) : 0; }
  void put(std::string_view bytes, Instant now) { up_.put(bytes, now); }
  // What has arrived for the modem, at most `most` bytes; also what had arrived when the far end hung up.
  std::string take(Instant now, std::size_t most);

  // Moves what can be moved; true if anything was.
  bool pump(Instant now);
  // `taking`: the modem takes what arrives; if it does not, arrivals wake nobody.
  Instant deadline(Instant now, bool taking) const;
  void add_polls(std::vector<pollfd>& polls, Instant now) const;

  bool carrier() const { return carrier_; }
  bool vanished() const { return vanished_; }
  // Why the carrier went: "far-end", "login", "fault", "signal".
  std::string_view cause() const { return cause_; }
  void drop(std::string_view cause, Instant now);

  std::int64_t bytes_up() const { return bytes_up_; }
  std::int64_t bytes_down() const { return bytes_down_; }

  // Ends the call from this side and hands out the command that may still run, to be looked after until it has ended.
  std::unique_ptr<FarEnd> close(Instant now);

 private:
  // How many bytes may still pass before a fault strikes; bytes are counted as the faults say.
  std::size_t before_fault(const std::optional<std::int64_t>& drop, const std::optional<std::int64_t>& silent,
                           const std::optional<std::int64_t>& vanish, std::int64_t passed) const;
  void check_faults(Instant now);
  bool counts() const { return !faults_.count_from_far_end || far_end_started_; }
  bool pump_up(Instant now);
  bool pump_login(Instant now);
  bool pump_down(Instant now);
  void check_far_end(Instant now);
  void start_far_end(Instant now);
  void end_login(Instant now);
  std::string take_arrived(Instant now, std::size_t most);
  bool all_arrived(Instant now) const { return down_.arrived(now) == down_.size(); }
  void add_noise(std::string& bytes);

  const Scenario& scenario_;
  EventLog& log_;
  Faults faults_;
  int number_;
  std::string digits_;
  Instant since_;
  LineDirection up_;
  LineDirection down_;
  std::optional<Login> login_;
  std::unique_ptr<FarEnd> far_end_;
  bool far_end_started_ = false;
  std::string to_far_end_;  // delivered by the line, not yet taken by the far end
  std::string to_line_;     // said by the host, not yet on the line
  std::string last_words_;  // arrived before the carrier went
  Noise noise_;
  std::int64_t until_noise_ = 0;
  bool carrier_ = true;
  bool mute_ = false;  // the carrier is there and nothing passes any more
  bool vanished_ = false;
  std::string cause_;
  std::int64_t bytes_up_ = 0;
  std::int64_t bytes_down_ = 0;
  std::int64_t counted_up_ = 0;
  std::int64_t counted_down_ = 0;
  std::size_t uncounted_down_ = 0;  // bytes of the login that were still on the line when counting began
};

}  // namespace modemsim
