// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "common/tool.hpp"
#include "sys/serial_port.hpp"

namespace longline::tools::chatrun {

/// chat(8)'s statuses, for `run`; `check` has 0, 65 and 66, a replay that differs from its transcript 65.
enum Status { kOk = 0, kError = 1, kLineFailed = 2, kTimedOut = 3, kHalted = 4 };

struct Credentials {
  std::optional<std::string> user;
  std::string password_file;
  std::optional<int> password_fd;
};

struct RunOptions {
  std::string script;
  std::string port;               ///< empty: stdin and stdout
  sys::SerialSettings serial;
  Credentials credentials;
  Duration deadline{300'000};
  std::string transcript;
  bool ignore_success = false;
};

struct CheckOptions {
  std::vector<std::string> scripts;
  bool strict = false;
  bool fix = false;
  Duration deadline{300'000};     ///< of the run that the script is for
};

struct ReplayOptions {
  std::string script;
  std::string transcript;
  Credentials credentials;
  Duration deadline{300'000};
  bool ignore_success = false;
  std::uint32_t variations = 0;
};

enum class Verb { run, check, replay };

struct Options {
  CommonOptions common;
  Verb verb = Verb::run;
  RunOptions run;
  CheckOptions check;
  ReplayOptions replay;
};

/// Opens nothing. A status: already answered or refused.
std::optional<int> parse_options(int argc, char** argv, Options& options);

}  // namespace longline::tools::chatrun
