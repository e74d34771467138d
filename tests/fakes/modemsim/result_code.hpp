// SPDX-License-Identifier: MIT
// The modem's results: their words, their digits, and which of them the X setting lets through.
#pragma once

#include <string>
#include <string_view>

#include "scenario.hpp"

namespace modemsim {

enum class Result { ok, connect, ring, no_carrier, error, no_dialtone, busy, no_answer, voice, delayed, blacklisted };

std::string_view words(Result result);
// For V0. CONNECT at X1 and above has a code for each rate; digits above 8 follow Rockwell's table.
int digits(Result result);
int connect_digits(std::string_view text);

// What a call of this fate is reported as. X0 and X1 know neither dial tone nor busy, X2 the dial tone, X3 busy, X4 both.
Result result_of(Fate fate, int extended, bool waits_for_answer);

}  // namespace modemsim
