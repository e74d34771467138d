// SPDX-License-Identifier: MIT
// apply --confirm, in the foreground until it is confirmed, undone, or its time is over.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/folder_watch.hpp"
#include "sys/loop.hpp"
#include "sys/network/route_confirmation.hpp"
#include "sys/system_clock.hpp"

namespace longline::routeadd {
namespace {

constexpr Duration kAgain{1000};           // after another routeadd held the lock for too long

Error not_confirmed(Errc code, std::string what) {
  return Error(code, std::move(what) + "; the old table is back", Stage::route)
      .with_hint("the file of routes is as you wrote it: correct it before it is applied again, or at boot");
}

/// Enter on the terminal that waits. A job in the background must not read: it would be stopped.
bool may_read_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp(); }

class Waiter {
 public:
  Waiter(const route::Confirmation& confirmation, sys::Signals& signals, const Options& options, const sys::StatePaths& paths)
      : confirmation_(confirmation), signals_(signals), options_(options), paths_(paths), record_(paths.run_dir) {}

  Result<ExitStatus> run() {
    // Where there is no inotify, the end of the time still ends the wait.
    Result<sys::FolderWatch> folder = sys::FolderWatch::open(paths_.run_dir);
    sys::Loop::Registration on_folder, on_terminal;
    if (folder) {
      on_folder = loop_.watch(folder->fd(), POLLIN, [&](short) {
        folder->clear();
        look();
      });
    }
    const sys::Loop::Registration on_signal = loop_.watch(signals_.fd(), POLLIN, [&](short) {
      while (const std::optional<int> number = signals_.take()) on_signal_number(*number);
    });
    if (may_read_terminal()) {
      on_terminal = loop_.watch(STDIN_FILENO, POLLIN, [&](short) {
        if (!read_answer()) on_terminal.reset();
      });
    }
    set_timer();
    look();
    if (!outcome_) LONGLINE_CHECK(loop_.run());
    return std::move(*outcome_);
  }

 private:
  void finish(Result<ExitStatus> outcome) {
    if (!outcome_) outcome_ = std::move(outcome);
    loop_.stop();
  }

  void set_timer() {
    timer_ = loop_.at(sys::steady_now() + std::max(Duration(1), confirmation_.deadline - sys::since_boot()), [this] {
      if (record_.standing(confirmation_) == route::Standing::waits) return set_timer();
      end(not_in_time(confirmation_), not_confirmed(Errc::deadline, fmt::format("not confirmed within {}", format_duration(confirmation_.limit))));
    });
  }

  /// Has somebody else ended it?
  void look() {
    switch (record_.end_of(confirmation_)) {
      case sys::RouteConfirmation::End::pending: return;
      case sys::RouteConfirmation::End::confirmed: return finish(ExitStatus::ok);
      case sys::RouteConfirmation::End::restored: {
        if (sys::since_boot() < confirmation_.deadline) return finish(not_confirmed(Errc::interrupted, "undone"));
        return finish(not_confirmed(Errc::deadline, fmt::format("not confirmed within {}", format_duration(confirmation_.limit))));
      }
    }
  }

  void on_signal_number(int number) {
    // The line may be gone: that is what the time is for. A stopped process could not put anything back.
    if (number == SIGHUP || number == SIGTSTP) return;
    end("the apply that waited was ended by a signal", not_confirmed(Errc::interrupted, "ended by a signal before it was confirmed"));
  }

  /// Puts the old table back and ends with `error`.
  void end(const std::string& why, Error error) {
    if (outcome_) return;
    const Result<sys::RouteLock> lock = lock_routes(paths_);
    if (!lock && lock.error().code == Errc::busy) {
      timer_ = loop_.at(sys::steady_now() + kAgain, [this, why, error] { end(why, error); });
      return;
    }
    if (!lock) return finish(lock.error());
    if (record_.end_of(confirmation_) != sys::RouteConfirmation::End::pending) return look();
    Options silent = options_;   // the error says it; the event stays
    silent.common.json = true;
    Result<std::string> missing = put_back(why, silent, paths_);
    if (!missing) return finish(std::move(missing).error().context("putting the old table back"));
    error.what += *missing;
    finish(std::move(error));
  }

  /// false: the terminal has nothing more to say.
  bool read_answer() {
    char text[256];
    const ssize_t got = ::read(STDIN_FILENO, text, sizeof text);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got <= 0) return false;
    const std::string_view answer = trim(std::string_view(text, static_cast<std::size_t>(got)));
    if (!answer.empty() && (answer[0] == 'n' || answer[0] == 'N')) {
      end("the operator said no", not_confirmed(Errc::interrupted, "undone"));
      return true;
    }
    const Result<sys::RouteLock> lock = lock_routes(paths_);
    if (lock && record_.end_of(confirmation_) == sys::RouteConfirmation::End::pending) {
      if (record_.standing(confirmation_) == route::Standing::due) return true;   // too late: the timer is next
      if (const Result<void> done = record_.confirmed(); !done) finish(done.error());
    }
    look();
    return true;
  }

  const route::Confirmation& confirmation_;
  sys::Signals& signals_;
  const Options& options_;
  const sys::StatePaths& paths_;
  sys::RouteConfirmation record_;
  sys::Loop loop_;
  sys::Loop::Registration timer_;
  std::optional<Result<ExitStatus>> outcome_;
};

}  // namespace

Result<ExitStatus> await_confirmation(const route::Confirmation& confirmation, sys::Signals& signals, const Options& options,
                                      const sys::StatePaths& paths) {
  std::fflush(stdout);
  if (!options.common.quiet && !options.common.json) {
    std::fprintf(stderr, "routeadd: the old table comes back in %s, unless 'routeadd confirm' is run%s\n",
                 format_duration(confirmation.limit).c_str(), may_read_terminal() ? " or Enter is pressed here" : "");
  }
  LONGLINE_TRY(const ExitStatus status, Waiter(confirmation, signals, options, paths).run());
  if (!options.common.quiet && !options.common.json) print_line("confirmed");
  return status;
}

}  // namespace longline::routeadd
