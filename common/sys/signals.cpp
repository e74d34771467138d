// SPDX-License-Identifier: MIT
#include "sys/signals.hpp"

#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>

namespace longline::sys {

Result<Signals> Signals::open(std::initializer_list<int> numbers, Ignored ignored) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : numbers) {
    // What was ignored for us stays ignored: nohup, background jobs of a script.
    struct sigaction now {};
    if (ignored == Ignored::stay_so && number != SIGTERM && ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) continue;
    ::sigaddset(&set, number);
  }
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return system_error(errno, "sigprocmask", Errc::os);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return system_error(errno, "signalfd", Errc::os);
  return Signals(std::move(fd));
}

UniqueFd Signals::end_is_asked() {
  sigset_t blocked, ends;
  ::sigemptyset(&blocked);
  ::sigemptyset(&ends);
  ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
  bool any = false;
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    if (::sigismember(&blocked, number) != 1) continue;
    ::sigaddset(&ends, number);
    any = true;
  }
  return any ? UniqueFd(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK)) : UniqueFd();
}

std::optional<int> Signals::take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace longline::sys
