// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "script/login_machine.hpp"
#include "script/transcript.hpp"

/// Runs a script against a transcript in simulated time: what a recorded session would be with the script as it is now.
namespace longline::script {

struct ReplayStep {
  Duration at{};
  bool received = false;   ///< else sent
  std::string bytes;       ///< secrets masked
  std::string raw{};       ///< what was sent, but for the password that was given
};

/// What the script sends is not what the transcript has.
struct ReplayDifference {
  int line = 0;            ///< of the transcript; 0: behind its end
  std::string expected;    ///< from the first byte that differs; empty: nothing more
  std::string sent;
};

struct ReplayResult {
  Finished finished;
  Duration elapsed{};
  std::vector<ReplayStep> steps;
  std::optional<ReplayDifference> difference;
};

struct ReplayOptions {
  std::optional<std::string> user;   ///< absent: whoever the transcript shows
  std::optional<Secret> password;    ///< absent: the mask itself, as transcripts hold it
  Duration deadline{300'000};
  bool ignore_success = false;
  /// 0: the bytes as they stand. Else the seed of a variation: the bytes cut anywhere, the pauses up to a tenth longer or shorter.
  std::uint32_t variation = 0;
};

/// The `<` lines are fed each when its time has come; when they are over, time runs on until the script ends. What it sends is compared with
/// the `>` lines, if there are any; where they have the mask, any secret is the same.
ReplayResult replay(const LoginProgram& program, const std::vector<TranscriptEvent>& transcript,
                    const ReplayOptions& options);

}  // namespace longline::script
