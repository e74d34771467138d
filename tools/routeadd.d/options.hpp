// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/tool.hpp"

namespace longline::routeadd {

enum class Verb { list, add, del, plan, apply };

struct Options {
  tools::CommonOptions common;
  Verb verb = Verb::list;
  std::string file;                   ///< plan, apply: "-" is stdin, "" was not given
  std::vector<std::string> words;     ///< add, del: the route
};

/// Fills `options`. A status: the command line was answered (--help) or is wrong.
std::optional<int> parse(int argc, char** argv, Options& options);

}  // namespace longline::routeadd
