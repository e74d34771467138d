// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "common/tool.hpp"
#include "sys/port/serial_port.hpp"

namespace longline::tools::chatrun {

/// chat(8)'s statuses, for `run`; `check` has 0, 65 and 66, a replay that differs from its transcript 65.
enum Status { kOk = 0, kError = 1, kLineFailed = 2, kTimedOut = 3, kHalted = 4 };

struct Credentials {
  std::optional<std::string> user;
  std::string password_file;
  std::optional<int> password_fd;
};

/// When the user's terminal is joined to the line.
enum class Join {
  with,     ///< while the script runs, and on if it ends in `halt`
  before,   ///< until ~. hands over to the script
  after,    ///< when the script has come to its end
};

struct RunOptions {
  std::string script;             ///< empty: the terminal instead
  std::string port;               ///< empty: stdin and stdout
  sys::SerialSettings serial;
  Credentials credentials;
  Duration deadline{300'000};
  std::string transcript;
  bool ignore_success = false;
  std::optional<std::string> when;   ///< --terminal as given
  std::optional<Join> terminal;
  Duration idle{600'000};         ///< of the terminal
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

struct RecordOptions {
  std::string port;
  sys::SerialSettings serial;
  std::string output;             ///< the script
  std::string transcript;         ///< empty: beside the script
  Credentials credentials;
  Duration idle{600'000};
};

struct ConvertOptions {
  std::string script;
  std::string output;             ///< empty: stdout
  Credentials credentials;
  bool replace_credentials = false;
  std::optional<std::string> phone;
  std::optional<std::string> phone2;
  bool strict = false;
};

enum class Verb { run, check, replay, record, convert };

struct Options {
  CommonOptions common;
  Verb verb = Verb::run;
  RunOptions run;
  CheckOptions check;
  ReplayOptions replay;
  RecordOptions record;
  ConvertOptions convert;
};

/// Opens nothing. A status: already answered or refused.
std::optional<int> parse_options(int argc, char** argv, Options& options);

}  // namespace longline::tools::chatrun
