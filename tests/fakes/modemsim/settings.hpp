// SPDX-License-Identifier: MIT
// What AT commands set: the flags and the S-registers.
#pragma once

#include <array>
#include <cstdint>

#include "instant.hpp"

namespace modemsim {

struct Settings {
  bool echo = true;      // E
  int quiet = 0;         // Q: 1 no results, 2 none when answering
  bool verbose = true;   // V
  int extended = 4;      // X
  int carrier_line = 1;  // &C; a pty has no such line
  int dtr = 2;           // &D: 0 ignored, 1 to command state, 2 hang up, 3 hang up and reset
  std::array<std::uint8_t, 256> registers = factory_registers();

  enum Register { auto_answer = 0, rings = 1, escape = 2, end_of_line = 3, line_feed = 4, backspace = 5, dial_tone_wait = 6,
                  carrier_wait = 7, comma = 8, guard = 12 };

  Duration carrier_limit() const { return std::chrono::seconds(registers[carrier_wait] == 0 ? 255 : registers[carrier_wait]); }
  Duration comma_pause() const { return std::chrono::seconds(registers[comma]); }
  Duration guard_time() const { return std::chrono::milliseconds(20) * registers[guard]; }
  char cr() const { return static_cast<char>(registers[end_of_line]); }
  char lf() const { return static_cast<char>(registers[line_feed]); }

  static constexpr std::array<std::uint8_t, 256> factory_registers() {
    std::array<std::uint8_t, 256> all{};
    all[escape] = 43;
    all[end_of_line] = 13;
    all[line_feed] = 10;
    all[backspace] = 8;
    all[dial_tone_wait] = 2;
    all[carrier_wait] = 50;
    all[comma] = 2;
    all[9] = 6;
    all[10] = 14;
    all[11] = 85;
    all[guard] = 50;
    all[25] = 5;
    all[30] = 0;
    return all;
  }
};

}  // namespace modemsim
