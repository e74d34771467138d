// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/event.hpp"
#include "base/text.hpp"
#include "dialctl.d/hold.hpp"
#include "sys/reply_file.hpp"
#include "sys/config_file.hpp"
#include "sys/link/link_client.hpp"
#include "sys/ppp/host_changes.hpp"
#include "sys/ppp/pppd.hpp"
#include "sys/process.hpp"
#include "sys/secret_file.hpp"
#include "sys/link/supervisor.hpp"
#include "sys/system_clock.hpp"

namespace longline::tools::dialctl {
namespace {


/// We call: where the called router must prove itself, it does so with the link's name and caller-password-file, as a caller would.
Result<link::PppRole> calling_role(const config::Link& link) {
  link::PppRole role;
  // Not what we are called when we answer: two routers may have one host name, and then a password for callers is not our own.
  role.host = sys::host_name() + "-calls";
  if (!link.authenticate_peer) return role;
  LONGLINE_TRY(Secret password, sys::read_secret(link.caller_password));
  role.callers.push_back({link.name, std::move(password)});
  return role;
}

Error because_of(const config::Link& link, Error error) { return std::move(error).context(link.name); }

}  // namespace

Result<ExitStatus> up(const World& world) {
  LONGLINE_TRY(const config::Link* link, named_link(world));
  LONGLINE_CHECK(login_script(*link));
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGINT, SIGTERM, SIGHUP}));
  Result<Hold> hold = take_hold(world, *link, "up", "dialctl up", signals);
  if (!hold) return because_of(*link, std::move(hold).error());
  return ExitStatus::ok;
}

Result<ExitStatus> down(const World& world) {
  const std::string& name = world.options.link;
  std::optional<sys::JsonChannel> channel = sys::connect_supervisor(world.paths, name);
  if (!channel) {
    LONGLINE_CHECK(sys::load_config(world.paths));
    LONGLINE_CHECK(named_link(world));
    say(world, name + ": is down already");
    return ExitStatus::ok;
  }
  channel->send(JsonObject().set("op", "down").set("force", world.options.force));
  const TimePoint end = sys::steady_now() + kHangUp;
  while (sys::steady_now() < end) {
    pollfd waiting{channel->fd(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>((end - sys::steady_now()).count())) <= 0) continue;
    const Result<std::vector<JsonObject>> messages = channel->read();
    if (!messages) {
      say(world, name + ": down");
      return ExitStatus::ok;
    }
    for (const JsonObject& message : *messages) {
      if (message.string("msg") != "busy") continue;
      std::string who;
      for (const JsonObject& holder : message.objects("holders")) {
        who += fmt::format("{}{} ({})", who.empty() ? "" : ", ", holder.integer("pid").value_or(0),
                           escape_at_most(holder.string("command").value_or(""), 80));
      }
      return Error(Errc::busy, fmt::format("{}: in use by {}; it goes down when they end", name, who), Stage::policy)
          .with_hint("dialctl down --force hangs up at once");
    }
  }
  return Error(Errc::deadline, fmt::format("{}: did not hang up within {}", name, format_duration(kHangUp)), Stage::dial);
}

void restore(const World& world) {
  for (const std::string& link : sys::put_left_over_back(world.paths)) {
    say(world, link + ": what its last call changed on this host was put back");
  }
}

Result<ExitStatus> become_pppd() {
  constexpr int kPlan = 3;
  return sys::become_pppd(kPlan);
}

Result<ExitStatus> supervise(const World& world) {
  constexpr int kInherited = 3;
  // Whoever started us may wait for the end of a pipe that it left open for its children: cron, xargs, a script.
  ::close_range(kInherited + 1, ~0U, 0);
  ::fcntl(kInherited, F_SETFD, FD_CLOEXEC);
  LONGLINE_TRY(const config::Link* link, named_link(world));
  sys::Supervisor::Options options;
  options.first_client = sys::UniqueFd(kInherited);
  options.paths = world.paths;
  options.call.link = *link;
  options.tool_options = tool_options(world);
  options.raw = world.options.raw;
  options.more_rounds = world.options.round;
  if (world.options.round || world.options.last_round) {
    options.call.link.attempts = std::min(link->attempts, std::max(1, static_cast<int>(link->numbers.size())));
  }
  // What fails here is told to whoever started us, like everything else.
  Result<void> prepared = [&]() -> Result<void> {
    if (options.raw) {
      options.call.link.network = config::Network::stream;
      options.call.link.password = {};
      return {};
    }
    if (link->network == config::Network::ppp) {
      LONGLINE_CHECK(sys::find_pppd());
      LONGLINE_TRY(options.role, calling_role(*link));
    }
    LONGLINE_TRY(options.call.script, login_script(*link));
    // Regular files only: the supervisor waits for nothing but the line.
    options.call.read_file = [](const std::string& path) { return sys::read_reply_file(path, sys::steady_now()); };
    return {};
  }();
  if (!prepared) {
    sys::JsonChannel client(std::move(options.first_client));
    JsonObject end;
    end.set("msg", "end").merge(error_object("dialctl", prepared.error()));
    client.send(end);
    client.drain(1000);
    return std::move(prepared).error();
  }
  // No folder is kept from being unmounted. All our paths are absolute.
  if (::chdir("/") != 0) return system_error(errno, "/", Errc::os);
  LONGLINE_CHECK(sys::Supervisor::run(std::move(options)));
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
