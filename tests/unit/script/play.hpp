// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "script/login_machine.hpp"

namespace longline::script::test {

inline const std::string kUser = "alice";
inline const std::string kPassword = "s^Me<cr>t";   // full of what a script without `raw` would spoil

struct Play {
  std::string log;        ///< `> "bytes"`, `framing …`, `keyboard on`, `say "…"`, `= outcome at 12s`, a line each
  Finished finished;      ///< of the last line
  bool ended = false;
};

/// Runs the text against the lines of a transcript in simulated time; when they are over, time runs on until the script has ended.
/// `chunk`: how many bytes the machine gets at once; 0: a line at once.
Play play(const std::string& script, std::string_view transcript, Duration deadline = Duration(300'000),
          std::size_t chunk = 0, bool ignore_success = false);

/// The same for the commands of a `proc main`.
Play play_body(const std::string& body, std::string_view transcript = "", Duration deadline = Duration(300'000));

/// The same for a script of chat(8).
Play play_chat(const std::string& script, std::string_view transcript, ChatOptions options = {}, std::size_t chunk = 0);
/// With the defects of chat(8), but without its pauses between bytes.
ChatOptions as_chat();

/// The codes of all findings with their lines: "missing-endif:3 missing-endproc:1".
std::string findings(const std::string& script);
std::string findings_of_body(const std::string& body);

}  // namespace longline::script::test
