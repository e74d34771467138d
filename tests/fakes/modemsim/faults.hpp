// SPDX-License-Identifier: MIT
// What goes wrong, as a scenario's [[fault]] tables say it. A table may be limited to one call (`call`, counted from 1, every
// dialling counts) or to one opening of the port (`open`, counted from 1); those that apply are merged, later ones win.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "instant.hpp"

namespace modemsim {

// Steps of the login dialogue are counted from 1. Bytes are counted where they leave the line: up, as the far end gets them;
// down, as the modem gets them; from CONNECT on, or from the start of the far end's command.
struct Faults {
  // The host that answers.
  std::optional<int> silent_before_step;  // this prompt and everything after it never comes
  std::optional<int> silent_after_step;   // the prompt comes, nothing after it
  std::optional<int> drop_before_step;    // the carrier goes instead of this prompt
  std::optional<int> drop_after_step;     // the carrier goes when the answer to this prompt is complete
  std::optional<int> noise_before_step;
  std::int64_t noise_bytes = 64;  // how many random bytes come before that prompt
  std::uint32_t noise_seed = 1;
  std::optional<std::string> banner_forever;  // this text without end, instead of the login

  // The line.
  bool count_from_far_end = false;
  std::optional<std::int64_t> drop_after_up;
  std::optional<std::int64_t> drop_after_down;
  std::optional<std::int64_t> silent_after_up;
  std::optional<std::int64_t> silent_after_down;
  std::optional<std::int64_t> vanish_after_up;  // the port goes away for ever and modemsim ends
  std::optional<std::int64_t> vanish_after_down;
  std::optional<std::int64_t> noise_every;  // one random byte more after each so many bytes down
  std::optional<Duration> drop_after;       // time since CONNECT

  // The modem.
  bool ignore_escape = false;
  bool ignore_dtr = false;
  bool silent = false;  // neither echo nor result
  bool hung = false;    // deaf until AT+CFUN=1,1
  bool babble = false;  // random bytes while on hook
  bool vanish_on_dial = false;
  bool lose_no_carrier = false;  // does not report that the carrier is lost
};

class FaultPlan {
 public:
  struct Entry {
    std::optional<int> call;
    std::optional<int> open;
    std::vector<std::function<void(Faults&)>> changes;
  };

  void add(Entry entry) { entries_.push_back(std::move(entry)); }

  // What applies outside of calls while the port is open for the open-th time.
  Faults for_open(int open) const;
  // What applies to the call-th call, made while the port is open for the open-th time.
  Faults for_call(int call, int open) const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace modemsim
