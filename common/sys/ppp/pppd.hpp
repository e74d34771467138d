// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "link/ppp_plan.hpp"
#include "sys/child_process.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// The full path of a pppd that this host can run now. Errc::no_ppp, stage ppp: not root, no pppd or an old one, no PPP in the kernel.
Result<std::string> find_pppd();

/// A pppd that runs by a plan, in a mount namespace of its own, where /etc/ppp is a file system in memory that holds the plan's files
/// and goes with it: its secrets are on no disk, and nobody else sees them. It gets SIGTERM when we die.
struct Pppd {
  ChildProcess child;
  UniqueFd line;                       ///< master of the pseudo-terminal that it takes for its line; non-blocking
  UniqueFd log;                        ///< what it says; non-blocking
};
/// `ip_down`: a shell command for its /etc/ppp/ip-down; "" for none.
Result<Pppd> start_pppd(link::PppPlan plan, const std::string& ip_down);

/// A file that pppd, or a script of ours in its /etc/ppp, has written there; "" when it has not.
std::string read_of_pppd(pid_t pid, std::string_view name);
inline constexpr std::string_view kResolvConf = "resolv.conf";   ///< by pppd, with usepeerdns
inline constexpr std::string_view kPeerName = "peer";            ///< by our auth-up: the name that the peer proved

/// The other half of start_pppd(), in the new process: makes the namespace, then becomes pppd. Returns only when that fails.
Error become_pppd(int plan_fd);

}  // namespace longline::sys
