// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "common/tool.hpp"

namespace longline::tools::dialctl {

enum class Verb { list, show, plan, up, down, run, status, history, ports, supervise, demand, answer, connect, restore, become_pppd,
                  import, explain, check, events, unlock, terminal };

struct Options {
  CommonOptions common;
  Verb verb = Verb::list;
  std::string link;                   ///< empty where a verb allows it: all links
  std::optional<Duration> wait;
  bool now = false;
  bool force = false;
  bool watch = false;
  bool urgent = false;                ///< --grade urgent
  std::string since;                  ///< as given: a time ago, or a point in time
  bool probe = false;
  std::string interface;              ///< of demand; empty: named after the link
  bool round = false;                 ///< supervise: once through the numbers, and more follow
  bool last_round = false;            ///< supervise: once through the numbers
  std::vector<std::string> command;   ///< behind "--"
  std::string file;                   ///< of import; "-": stdin
  std::string format;                 ///< of import: "rasphone", "wvdial", or empty: guessed
  std::vector<std::string> codes;     ///< of explain
  std::string port;                   ///< of unlock
  bool follow = false;
  std::string behind;                 ///< of restore: the link whose supervisor may still be dying
  bool raw = false;                   ///< of supervise: no login, no network, one client
};

/// A status: the command line was answered (--help), or is wrong.
std::optional<int> parse(int argc, char** argv, Options& options);

}  // namespace longline::tools::dialctl
