// SPDX-License-Identifier: MIT
#include "sys/link/failure_hook.hpp"

#include <poll.h>

#include <cerrno>
#include <csignal>

#include "sys/child_process.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {

void run_failure_hook(const std::vector<std::string>& argv, const std::string& link, const Error& error, int stop_fd) {
  constexpr Duration kLimit{60'000};
  constexpr Duration kTerminate{2'000};
  SpawnOptions hook;
  hook.argv = argv;
  hook.extra_environment = {"LONGLINE_LINK=" + link, "LONGLINE_ERROR=" + error.message(), "LONGLINE_CODE=" + std::string(to_string(error.code))};
  hook.null_stdio = true;
  hook.new_session = true;
  Result<ChildProcess> child = ChildProcess::spawn(hook);
  if (!child) return;
  const auto ended_within = [&](Duration limit, int or_until_fd) {
    const TimePoint end = steady_now() + limit;
    for (TimePoint now = steady_now(); now < end; now = steady_now()) {
      pollfd waiting[2] = {{child->pidfd(), POLLIN, 0}, {or_until_fd, POLLIN, 0}};
      const int ready = ::poll(waiting, 2, static_cast<int>((end - now).count()));
      if (ready > 0) return waiting[0].revents != 0;
      if (ready < 0 && errno != EINTR) return false;
    }
    return false;
  };
  if (!ended_within(kLimit, stop_fd)) {
    child->signal(SIGTERM);
    // The group outlives its leader, where that one ends in time and its children do not.
    ended_within(kTerminate, -1);
    child->signal(SIGKILL);
  }
  child->wait();
}

}  // namespace longline::sys
