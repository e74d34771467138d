// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "common/tool.hpp"

namespace longline::routeadd {

enum class Verb { list, add, del, plan, apply, confirm, up, down, watch, export_, import, check, get };

struct Options {
  tools::CommonOptions common;
  Verb verb = Verb::list;
  std::string file;                   ///< plan, apply: "-" is stdin, "" was not given
  std::vector<std::string> words;     ///< add, del: the route
  std::string link;                   ///< up, down
  std::string device;                 ///< up: the link's interface; empty: the one of its name
  std::string address;                ///< get
  std::string from;                   ///< get: the source address; may be empty
  bool force = false;                 ///< apply: also take the way to whom one is logged in from
  std::optional<Duration> confirm;    ///< apply: how long the old table waits for a confirmation
  bool undo = false;                  ///< confirm: put the old table back at once
  bool all = false;                   ///< export: foreign routes too
};

/// Fills `options`. A status: the command line was answered (--help) or is wrong.
std::optional<int> parse(int argc, char** argv, Options& options);

}  // namespace longline::routeadd
