// SPDX-License-Identifier: MIT
#include "result_code.hpp"

#include <array>
#include <utility>

namespace modemsim {
namespace {

struct Entry {
  Result result;
  std::string_view words;
  int digits;
};

constexpr std::array<Entry, 11> table{{
    {Result::ok, "OK", 0},
    {Result::connect, "CONNECT", 1},
    {Result::ring, "RING", 2},
    {Result::no_carrier, "NO CARRIER", 3},
    {Result::error, "ERROR", 4},
    {Result::no_dialtone, "NO DIALTONE", 6},
    {Result::busy, "BUSY", 7},
    {Result::no_answer, "NO ANSWER", 8},
    {Result::voice, "VOICE", 35},
    {Result::delayed, "DELAYED", 24},
    {Result::blacklisted, "BLACKLISTED", 32},
}};

constexpr std::array<std::pair<std::string_view, int>, 14> rates{{
    {"1200", 5}, {"2400", 10}, {"4800", 11}, {"9600", 12}, {"7200", 13}, {"12000", 14}, {"14400", 15},
    {"19200", 16}, {"38400", 17}, {"57600", 18}, {"115200", 19}, {"28800", 59}, {"33600", 84}, {"56000", 162},
}};

}  // namespace

std::string_view words(Result result) { return table[static_cast<std::size_t>(result)].words; }

int digits(Result result) { return table[static_cast<std::size_t>(result)].digits; }

int connect_digits(std::string_view text) {
  for (const auto& [rate, code] : rates) {
    if (text == "CONNECT " + std::string(rate)) return code;
  }
  return 1;
}

Result result_of(Fate fate, int extended, bool waits_for_answer) {
  const bool hears_dial_tone = extended == 2 || extended >= 4;
  const bool hears_busy = extended >= 3;
  switch (fate) {
    case Fate::connect: return Result::connect;
    case Fate::error: return Result::error;
    case Fate::no_carrier: return Result::no_carrier;
    case Fate::no_dialtone: return hears_dial_tone ? Result::no_dialtone : Result::no_carrier;
    case Fate::busy: return hears_busy ? Result::busy : Result::no_carrier;
    case Fate::no_answer: return waits_for_answer || hears_busy ? Result::no_answer : Result::no_carrier;
    case Fate::voice: return hears_busy ? Result::voice : Result::no_carrier;
    case Fate::delayed: return extended >= 4 ? Result::delayed : Result::no_carrier;
    case Fate::blacklisted: return extended >= 4 ? Result::blacklisted : Result::no_carrier;
  }
  return Result::no_carrier;
}

}  // namespace modemsim
