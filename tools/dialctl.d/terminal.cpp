// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/text.hpp"
#include "dialctl.d/hold.hpp"
#include "sys/link/link_client.hpp"
#include "sys/login/terminal_session.hpp"
#include "sys/system_clock.hpp"

namespace longline::tools::dialctl {
namespace {


class NoTrace : public sys::TerminalTrace {
 public:
  void received(std::string_view, TimePoint) override {}
  void typed(std::string_view, TimePoint) override {}
  void carrier_lost(TimePoint) override {}
};

/// The port is free when its supervisor has ended; until then a next call would have to wait.
void let_go(sys::JsonChannel& channel) {
  channel.send(JsonObject().set("op", "leave"));
  const TimePoint end = sys::steady_now() + kHangUp;
  for (TimePoint now = sys::steady_now(); now < end; now = sys::steady_now()) {
    pollfd waiting{channel.fd(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>((end - now).count())) > 0 && !channel.read()) return;
  }
}

}  // namespace

Result<ExitStatus> terminal(const World& world) {
  LONGLINE_TRY(const config::Link* link, named_link(world));
  if (::isatty(STDIN_FILENO) != 1) {
    return Error(Errc::usage, "terminal joins the terminal on stdin to the line, and stdin is none").with_hint("dialctl run does without a terminal");
  }
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGINT, SIGTERM, SIGHUP, SIGQUIT}));
  Result<Hold> hold = take_hold(world, *link, "terminal", "dialctl terminal", signals);
  if (!hold) return std::move(hold).error().context(link->name);
  const auto ended = [&]() -> Result<sys::TerminalSession::End> {
    LONGLINE_TRY(const std::unique_ptr<sys::ByteStream> line, sys::connect_line(world.paths, link->name));
    LONGLINE_TRY(sys::UserTerminal user, sys::UserTerminal::open(false));
    if (!world.options.common.quiet) user.tell("connected; ~. ends");
    sys::Loop loop;
    NoTrace trace;
    return sys::TerminalSession(loop, *line, user, link->idle, trace).run(signals);
  }();
  let_go(hold->channel);
  if (!ended) return Error(ended.error()).context(link->name);
  switch (*ended) {
    case sys::TerminalSession::End::asked: return ExitStatus::ok;
    case sys::TerminalSession::End::idle:
      return Error(Errc::idle_timeout, fmt::format("{}: nothing was typed or received for {}: hung up", link->name, format_duration(link->idle)),
                   Stage::transfer);
    case sys::TerminalSession::End::line_lost: break;
  }
  return Error(Errc::line_dropped, link->name + ": the line dropped", Stage::transfer);
}

}  // namespace longline::tools::dialctl
