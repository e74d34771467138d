// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace longline {

/// What a tool's end says to a script. BE CAREFUL: this is an interface; cron jobs branch on it.
/// Mostly sysexits(3), which MTAs and cron wrappers know. chatrun keeps chat(8)'s instead.
enum class ExitStatus : int {
  ok = 0,
  no = 1,
  usage = 64,
  data = 65,
  no_input = 66,
  unavailable = 69,
  software = 70,
  os = 71,
  cannot_create = 73,
  io = 74,
  temporary = 75,
  protocol = 76,
  denied = 77,
  config = 78,
  deadline = 124,
};

/// The name that the manual pages use: "ok", "no-input", "temporary".
std::string_view to_string(ExitStatus status);

}  // namespace longline
