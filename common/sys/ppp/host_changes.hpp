// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "sys/ppp/session.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// What a link changes on the host while it is up, beyond its own interface and its own static routes: the default route and the name
/// servers, both only if its entry says so (KB Q171001). What was there is written down first, in the state folder, and put back
/// on down; when the supervisor was killed, by the ip-down of its pppd, by the next command, or after the next boot.

/// The protocol number of a link's default route (rtm_protocol): not routeadd's, which would take it for one of its own.
inline constexpr std::uint8_t kLinkProtocol = 78;

/// Returns what could not be done and does not keep the link from being used, a sentence each. Errc of stage route where the default route
/// was refused; then nothing has changed.
Result<std::vector<std::string>> change_host(const StatePaths& paths, const config::Link& link, const PppInterface& interface);

/// Puts back what the link changed; nothing to do is no error. false: there was nothing.
Result<bool> put_host_back(const StatePaths& paths, const std::string& link);

/// Waits until nobody holds the link's lock, or there is nothing to put back; ten minutes at most. A supervisor that is killed lets go of its lock after
/// its port, and the kernel closes that only when the port has sent what it has, which takes seconds behind a modem that takes nothing.
void wait_for_supervisor_to_go(const StatePaths& paths, const std::string& link);

/// For every link that has no supervisor any more. Returns the names of those for which there was something to do; an event says so, too.
std::vector<std::string> put_left_over_back(const StatePaths& paths);

}  // namespace longline::sys
