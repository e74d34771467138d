// SPDX-License-Identifier: MIT
#include "dialctl.d/hold.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/event.hpp"
#include "base/text.hpp"
#include "sys/child_process.hpp"
#include "sys/link/call_gate.hpp"
#include "sys/link/link_client.hpp"
#include "sys/port/sim_pin.hpp"
#include "sys/system_clock.hpp"

namespace longline::tools::dialctl {
namespace {

constexpr Duration kBetweenTries{50};
constexpr Duration kClosing{15'000};      ///< a hang-up takes five seconds at most

enum class Try { up, again };

struct Wait {
  const World& world;
  const config::Link& link;
  sys::Signals& signals;
  std::optional<TimePoint> deadline;

  Error timed_out() const {
    return Error(Errc::deadline, fmt::format("link '{}' was not up within {}", link.name, format_duration(*world.options.wait)),
                 Stage::dial);
  }

  /// Waits for the next messages; an empty list after `at_most`.
  Result<std::vector<JsonObject>> messages(sys::JsonChannel& channel, std::optional<TimePoint> at_most) const {
    const TimePoint now = sys::steady_now();
    if (deadline && now >= *deadline) return timed_out();
    std::optional<TimePoint> until = deadline;
    if (at_most && (!until || *at_most < *until)) until = at_most;
    const int timeout = until ? static_cast<int>(std::clamp<std::int64_t>((*until - now).count(), 0, 3'600'000)) : -1;
    pollfd waiting[2] = {{channel.fd(), POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    if (::poll(waiting, 2, timeout) < 0 && errno != EINTR) return system_error(errno, "poll", Errc::os);
    if ((waiting[1].revents & POLLIN) != 0 && signals.take()) {
      return Error(Errc::interrupted, "interrupted", Stage::policy);
    }
    if (waiting[0].revents == 0) return std::vector<JsonObject>();
    return channel.read();
  }
};

/// One connection: up, or nothing and it is worth another try.
Result<Try> wait_until_up(const Wait& wait, Hold& hold, bool our_own) {
  sys::JsonChannel& channel = hold.channel;
  bool closing = false;
  bool heard = false;
  std::optional<TimePoint> closed_by;
  while (true) {
    Result<std::vector<JsonObject>> messages = wait.messages(channel, closed_by);
    if (!messages) {
      if (messages.error().code != Errc::link_down) return std::move(messages).error();
      // A supervisor that others started may have ended while we were in its queue.
      if (closing || (!heard && !our_own)) return Try::again;
      return Error(Errc::link_down, fmt::format("the supervisor of link '{}' ended without a word", wait.link.name), Stage::dial);
    }
    if (closed_by && sys::steady_now() >= *closed_by) return Try::again;
    heard = heard || !messages->empty();
    for (auto at = messages->begin(); at != messages->end(); ++at) {
      const JsonObject& message = *at;
      const std::string kind = message.string("msg").value_or("");
      if (kind == "trace") {
        show_trace(message);
      } else if (kind == "state" && !closing) {
        say(wait.world, fmt::format("{}: {}", wait.link.name, message.string("state").value_or("")));
      } else if (kind == "up") {
        hold.line = message.string("line").value_or("");
        hold.unread.assign(at + 1, messages->end());
        return Try::up;
      } else if (kind == "closing") {
        closing = true;
        const std::optional<std::int64_t> again = message.integer("again_ms");
        closed_by = sys::steady_now() + (again ? Duration(std::clamp<std::int64_t>(*again, 0, 15'000)) : kClosing);
      } else if (kind == "end" && !closing) {
        if (std::optional<Error> error = error_from_object(message)) return std::move(*error);
        return Try::again;
      }
    }
  }
}

}  // namespace

Result<sys::JsonChannel> start_supervisor(const World& world, const config::Link& link, Calls calls, const JsonObject& join) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return system_error(errno, "socketpair", Errc::os);
  }
  sys::JsonChannel ours{sys::UniqueFd(ends[0])};
  const sys::UniqueFd theirs(ends[1]);
  ours.send(join);
  std::error_code failure;
  sys::SpawnOptions spawn;
  spawn.argv = {std::filesystem::read_symlink("/proc/self/exe", failure).string()};
  if (failure) return system_error(failure.value(), "/proc/self/exe", Errc::os);
  const std::vector<std::string> given = tool_options(world);
  spawn.argv.insert(spawn.argv.end(), given.begin(), given.end());
  spawn.argv.insert(spawn.argv.end(), {"supervise", link.name});
  if (world.options.now) sys::forget_sim_pin(link, world.paths);
  if (calls != Calls::all) spawn.argv.emplace_back(calls == Calls::last_round ? "--last-round" : calls == Calls::round ? "--round" : "--raw");
  spawn.null_stdio = true;
  spawn.new_session = true;
  spawn.inherited = {theirs.get()};
  LONGLINE_TRY(sys::ChildProcess child, sys::ChildProcess::spawn(spawn));
  child.detach();
  return ours;
}

void say(const World& world, const std::string& text) {
  const CommonOptions& common = world.options.common;
  if (common.quiet || common.json || (!stderr_is_terminal() && common.verbose == 0)) return;
  std::fprintf(stderr, "%s\n", text.c_str());
}

void show_trace(const JsonObject& message) { std::fprintf(stderr, "%s\n", message.string("text").value_or("").c_str()); }

Result<Hold> take_hold(const World& world, const config::Link& link, const std::string& kind, const std::string& command,
                       sys::Signals& signals) {
  // A terminal has the line for itself: it joins nobody.
  const bool raw = kind == "terminal";
  Wait wait{world, link, signals, std::nullopt};
  if (world.options.wait) wait.deadline = sys::steady_now() + *world.options.wait;
  JsonObject join;
  join.set("op", "join").set("kind", kind).set("pid", std::int64_t{::getpid()}).set("command", command);
  join.set("verbose", world.options.common.verbose > 0).set("grade", world.options.urgent ? "urgent" : "normal");
  join.set("now", world.options.now);
  while (true) {
    std::optional<sys::JsonChannel> channel = sys::connect_supervisor(world.paths, link.name);
    const bool our_own = !channel;
    if (raw && !our_own) {
      return Error(Errc::busy, fmt::format("link '{}' is up, or coming up or going down", link.name), Stage::lock)
          .with_hint(fmt::format("dialctl status {} says who holds it; dialctl down {} hangs up", link.name, link.name));
    }
    if (our_own) {
      // A call that is under way may be joined at any time; another one is judged anew.
      LONGLINE_CHECK(sys::may_call(world.paths, link, {world.options.urgent, world.options.now}));
      LONGLINE_TRY(sys::JsonChannel started, start_supervisor(world, link, raw ? Calls::raw : Calls::all, join));
      channel.emplace(std::move(started));
    } else {
      channel->send(join);
    }
    Hold hold{std::move(*channel), "", {}};
    LONGLINE_TRY(const Try outcome, wait_until_up(wait, hold, our_own));
    if (outcome == Try::up) return hold;
    // The end of one call is the start of the next only when its supervisor has let go of everything.
    if (wait.deadline && sys::steady_now() + kBetweenTries >= *wait.deadline) return wait.timed_out();
    pollfd pause{signals.fd(), POLLIN, 0};
    ::poll(&pause, 1, static_cast<int>(kBetweenTries.count()));
  }
}

}  // namespace longline::tools::dialctl
