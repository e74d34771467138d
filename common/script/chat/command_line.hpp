// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::script::chat {

/// The command line of chat(8), and what ours has more. A script has words that look like options, so options end where the first other word
/// stands.
struct CommandLine {
  bool echo = false;                 ///< -e
  bool variables = false;            ///< -E
  bool verbose = false;              ///< -v
  bool show = false;                 ///< -V
  bool to_stderr = false;            ///< -s
  bool to_syslog = true;             ///< not with -S
  std::optional<std::string> file;   ///< -f
  std::optional<Duration> timeout;   ///< -t; 0: none
  struct ReportFile {
    std::string path;
    bool announced = false;          ///< -v came before it
  };
  std::vector<ReportFile> report_files;   ///< -r; the last one counts, the others are opened
  std::optional<std::string> phone;  ///< -T
  std::optional<std::string> phone2; ///< -U
  std::vector<std::string> script;   ///< the words that are left
  bool safe = false;                 ///< --safe
  std::optional<Duration> deadline;  ///< --deadline
  bool help = false;
};

/// `arguments`: without the program's name. Errc::usage.
Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace longline::script::chat
