// SPDX-License-Identifier: MIT
// watch: the kernel drops a route with its interface and does not say so; only the link's own event tells.
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <set>

#include "base/text.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/folder_watch.hpp"
#include "sys/loop.hpp"
#include "sys/network/netlink.hpp"
#include "sys/network/route_table.hpp"
#include "sys/signals.hpp"
#include "sys/system_clock.hpp"

namespace longline::routeadd {
namespace {

constexpr std::uint32_t kGroups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

/// Where a routing daemon changes its routes all the time, looking takes at most a tenth of it.
constexpr Duration kFarEvents{200};
constexpr int kTimesALook = 10;

bool any_close_to_us(std::string_view bytes) {
  while (const std::optional<route::NetlinkMessage> event = route::next_message(bytes)) {
    if (route::is_close_to_us(*event)) return true;
  }
  return false;
}

class Watcher {
 public:
  Watcher(const Options& options, const sys::StatePaths& paths) : options_(options), paths_(paths) {}

  /// Makes the kernel's table what is in force. What is refused or in conflict now is said once, and tried again at the
  /// next event.
  Result<void> reconcile() {
    LONGLINE_TRY(const sys::RouteLock lock, lock_routes(paths_));
    LONGLINE_CHECK(restore_if_due_locked(options_, paths_));
    LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes_in_force(paths_));
    LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
    route::Resolved resolved = route::resolve(parsed.routes, kernel, link_states(parsed.routes, paths_));
    std::vector<route::Change> changes = route::plan(resolved, kernel);
    LONGLINE_CHECK(let_unreachable_wait(changes, resolved, parsed, kernel, nullptr));
    std::set<std::string> complaints;
    for (const route::Change& change : changes) {
      if (change.kind == route::ChangeKind::conflict) complaints.insert("conflict " + to_string(change, kernel.interfaces).substr(2));
    }
    const std::vector<route::Step> steps = route::steps(changes);
    std::set<const route::Change*> refused;
    if (!steps.empty()) {
      LONGLINE_TRY(const std::vector<sys::StepRefusal> refusals, sys::commit_each(steps));
      for (const sys::StepRefusal& refusal : refusals) {
        refused.insert(steps[refusal.step].cause);
        complaints.insert(fmt::format("refused '{}': {}", to_string(*steps[refusal.step].route, kernel.interfaces),
                                      refusal.text.empty() ? std::strerror(refusal.error) : refusal.text));
        if (refusal.error == EPERM) return Error(Errc::permission, "changing routes: Operation not permitted", Stage::route);
      }
    }
    std::vector<route::Change> done;
    for (const route::Change& change : changes) {
      if (change.kind != route::ChangeKind::conflict && !refused.contains(&change)) done.push_back(change);
    }
    log_changes(done, kernel.interfaces, paths_);
    if (!options_.common.quiet || options_.common.json) print_changes(done, kernel.interfaces, options_.common.json);
    std::fflush(stdout);
    for (const std::string& complaint : complaints) {
      if (said_.contains(complaint)) continue;
      warn(complaint, complaint.starts_with("conflict") ? "route.conflict" : "route.refused", options_, paths_);
    }
    said_ = std::move(complaints);
    return {};
  }

 private:
  const Options& options_;
  const sys::StatePaths& paths_;
  std::set<std::string> said_;
};

}  // namespace

Result<ExitStatus> watch(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGINT, SIGTERM, SIGHUP}));
  // Listen first, so that nothing that happens during the first look is missed.
  LONGLINE_TRY(sys::Netlink events, sys::Netlink::open(kGroups));
  Watcher watcher(options, paths);
  LONGLINE_CHECK(watcher.reconcile());
  // What apply, up and down write there changes what is to be in force, not always the kernel's tables.
  LONGLINE_TRY(sys::FolderWatch folder, sys::FolderWatch::open(paths.run_dir));
  sys::Loop loop;
  std::optional<Error> failure;
  sys::Loop::Registration when_due, later;
  Duration last_look{};
  std::function<void()> look;
  const auto wait_for_confirmation = [&] {
    when_due.reset();
    if (const std::optional<Duration> left = until_due(paths)) when_due = loop.at(sys::steady_now() + *left, [&] { look(); });
  };
  look = [&] {
    later.reset();
    const TimePoint begin = sys::steady_now();
    Result<void> looked = watcher.reconcile();
    last_look = sys::steady_now() - begin;
    wait_for_confirmation();
    if (looked) return;
    const Errc code = looked.error().code;
    // A file that somebody is writing, another routeadd at work: the next event brings the next look.
    if (code == Errc::busy || code == Errc::malformed || code == Errc::io) {
      return warn(looked.error().message(), "route.refused", options, paths);
    }
    failure = std::move(looked).error();
    loop.stop();
  };
  const sys::Loop::Registration on_event = loop.watch(events.fd(), POLLIN, [&](short) {
    std::string bytes;
    const Result<bool> received = events.receive(bytes);
    if (!received) {
      failure = received.error();
      return loop.stop();
    }
    // After an overrun of the buffer nobody knows what was in it. Tables are read anew whatever the event says.
    if (!*received || any_close_to_us(bytes)) return look();
    if (!later) later = loop.at(loop.now() + std::max(kFarEvents, last_look * kTimesALook), [&] { look(); });
  });
  const sys::Loop::Registration on_file = loop.watch(folder.fd(), POLLIN, [&](short) {
    folder.clear();
    look();
  });
  wait_for_confirmation();
  const sys::Loop::Registration on_signal = loop.watch(signals.fd(), POLLIN, [&](short) {
    while (const std::optional<int> number = signals.take()) {
      if (*number == SIGHUP) look();
      else loop.stop();
    }
  });
  LONGLINE_CHECK(loop.run());
  if (failure) return std::move(*failure);
  return ExitStatus::ok;
}

}  // namespace longline::routeadd
