// SPDX-License-Identifier: MIT
// apply --confirm: the old table comes back unless somebody says in time that the new one is good.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/folder_watch.hpp"
#include "sys/loop.hpp"
#include "sys/route_confirmation.hpp"
#include "sys/route_table.hpp"
#include "sys/system_clock.hpp"

namespace longline::routeadd {
namespace {

constexpr Duration kAgain{1000};           // after another routeadd held the lock for too long

/// Makes the kernel's table the old one, as far as it goes: an interface that is gone meanwhile must not keep the rest from
/// coming back. The caller holds the lock.
Result<void> put_back(const std::string& why, const Options& options, const sys::StatePaths& paths) {
  const sys::RouteConfirmation record(paths.run_dir);
  const std::string path = record.before_path();
  Result<route::ParsedRoutes> read = read_routes({path, true});
  if (!read && (read.error().code == Errc::not_found || read.error().code == Errc::malformed)) {
    record.forget();   // no later attempt could do better
    warn(why + ", but there is no way back: " + read.error().message(), "route.refused", options, paths);
    return {};
  }
  LONGLINE_TRY(const route::ParsedRoutes parsed, std::move(read));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  route::Resolved resolved = route::resolve(parsed.routes, kernel, link_states(parsed.routes, paths));
  std::vector<route::Change> changes = route::plan(resolved, kernel);
  LONGLINE_CHECK(let_unreachable_wait(changes, resolved, parsed, kernel, nullptr));
  const std::vector<route::Step> steps = route::steps(changes);
  LONGLINE_TRY(const std::vector<sys::StepRefusal> refusals, sys::commit_each(steps));
  std::string missing;
  for (const sys::StepRefusal& refusal : refusals) {
    if (refusal.error == EPERM) {
      return Error(Errc::permission, "changing routes: Operation not permitted", Stage::route).with_hint("it needs root, or the capability CAP_NET_ADMIN");
    }
    missing += fmt::format("; '{}' could not be put back: {}", to_string(*steps[refusal.step].route, kernel.interfaces),
                           kernel_words(refusal.error, refusal.text));
  }
  for (const route::Change& change : changes) {
    if (change.kind == route::ChangeKind::conflict) missing += fmt::format("; '{}' is in conflict", to_string(change, kernel.interfaces).substr(2));
  }
  LONGLINE_CHECK(record.restored());
  log_changes(changes, kernel.interfaces, paths);
  warn(why + ": the old table is back" + missing, "route.restored", options, paths);
  return {};
}

std::string not_in_time(const route::Confirmation& confirmation) {
  return fmt::format("the routes applied with --confirm {} were not confirmed in time", format_duration(confirmation.limit));
}

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
    Result<void> done = put_back(why, silent, paths_);
    if (!done) return finish(std::move(done).error().context("putting the old table back"));
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

Result<void> restore_if_due_locked(const Options& options, const sys::StatePaths& paths) {
  const sys::RouteConfirmation record(paths.run_dir);
  const std::optional<route::Confirmation> pending = record.pending();
  if (!pending || record.standing(*pending) != route::Standing::due) return {};
  return put_back(not_in_time(*pending), options, paths);
}

void restore_if_due(const Options& options, const sys::StatePaths& paths) {
  const sys::RouteConfirmation record(paths.run_dir);
  const std::optional<route::Confirmation> pending = record.pending();
  if (!pending || record.standing(*pending) != route::Standing::due) return;
  const Result<void> done = [&]() -> Result<void> {
    LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
    return restore_if_due_locked(options, paths);
  }();
  if (done) return;
  warn(fmt::format("{}, and the old table could not be put back: {}", not_in_time(*pending), done.error().message()), "route.refused", options, paths);
}

std::optional<Duration> until_due(const sys::StatePaths& paths) {
  const std::optional<route::Confirmation> pending = sys::RouteConfirmation(paths.run_dir).pending();
  if (!pending) return std::nullopt;
  return std::max(Duration(1), pending->deadline - sys::since_boot());
}

Result<void> refuse_while_pending(const sys::StatePaths& paths) {
  const std::optional<Duration> left = until_due(paths);
  if (!left) return {};
  const Duration seconds = std::chrono::ceil<std::chrono::seconds>(*left);
  return Error(Errc::busy, fmt::format("an apply waits to be confirmed, for {} more", format_duration(seconds)), Stage::route)
      .with_hint("nothing was changed; 'routeadd confirm' keeps its routes, 'routeadd confirm --undo' puts the old ones back");
}

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

Result<ExitStatus> confirm(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths));
  LONGLINE_CHECK(restore_if_due_locked(options, paths));
  const sys::RouteConfirmation record(paths.run_dir);
  if (!record.pending()) {
    if (record.last_was_restored() && !options.undo) {
      return Error(Errc::deadline, "it is too late: the old table is back", Stage::route).with_hint("apply the routes again");
    }
    return Error(Errc::not_found, "no apply waits to be confirmed", Stage::route);
  }
  if (options.undo) {
    Options silent = options;
    silent.common.json = true;
    LONGLINE_CHECK(put_back("'routeadd confirm --undo' was run", silent, paths));
  } else {
    LONGLINE_CHECK(record.confirmed());
  }
  if (!options.common.quiet && !options.common.json) print_line(options.undo ? "the old table is back" : "confirmed");
  return ExitStatus::ok;
}

}  // namespace longline::routeadd
