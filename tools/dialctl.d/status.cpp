// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/text.hpp"
#include "common/tool.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/link/link_client.hpp"
#include "sys/signals.hpp"

namespace longline::tools::dialctl {
namespace {

std::string or_dash(const std::optional<std::string>& text) { return text && !text->empty() ? escape(*text) : "-"; }

/// Why a link that is down would not be called now.
std::string why_not(const JsonObject& status) {
  const std::string reason = status.string("reason").value_or("");
  if (const std::optional<std::string> until = status.string("unreachable_until")) return "not called until " + escape(*until);
  if (reason == "dial-out-hours") return "outside its hours";
  if (reason == "budget") return "its budget is spent";
  return reason == "connection-failure" ? "not called until somebody has looked at it" : "";
}

std::string describe(const JsonObject& status) {
  const std::string state = status.string("state").value_or("down");
  std::string out = fmt::format("{:<12} {:<11} {:<6} since {}", escape(status.string("link").value_or("")), state,
                                status.string("network").value_or(""), or_dash(status.string("since")));
  if (const std::optional<JsonObject> call = status.object("call")) {
    out += fmt::format("  {} {}", or_dash(call->string("number")), or_dash(call->string("connect")));
    out += fmt::format("  in {} out {}", format_size(call->integer("bytes_in").value_or(0)),
                       format_size(call->integer("bytes_out").value_or(0)));
  }
  for (const JsonObject& holder : status.objects("holders")) {
    const std::optional<std::int64_t> pid = holder.integer("pid");
    out += fmt::format("\n  held by {}{}", pid ? fmt::format("{} ", *pid) : "", escape(holder.string("command").value_or("")));
  }
  if (const std::optional<JsonObject> error = status.object("last_error")) {
    out += fmt::format("\n  last call failed: {}", error->string("message").value_or(""));
  }
  if (const std::string why = why_not(status); !why.empty()) out += "\n  " + why;
  return out + "\n";
}

}  // namespace

Result<ExitStatus> list(const World& world) {
  const std::string& only = world.options.link;
  if (!only.empty()) LONGLINE_CHECK(named_link(world));
  for (const config::Link& link : world.config.links) {
    if (!only.empty() && link.name != only) continue;
    const JsonObject state = sys::link_status(world.paths, link);
    const std::string now = state.string("state").value_or("down");
    if (world.options.common.json) {
      JsonObject out;
      out.set("link", link.name).set("port", link.port).set("network", state.string("network"));
      out.set("numbers", link.numbers).set("state", now);
      out.set("unreachable_until", state.string("unreachable_until")).set("reason", state.string("reason"));
      print(out.dump() + "\n");
    } else {
      const std::string why = why_not(state);
      print(fmt::format("{:<12} {:<11} {:<6} {}{}\n", escape(link.name), now, state.string("network").value_or(""), escape(link.port),
                        why.empty() ? "" : "  " + why));
    }
  }
  return ExitStatus::ok;
}

namespace {

/// The states of the links that are asked for, as they are printed. `is_up`: one of them is.
std::string states(const World& world, bool& is_up) {
  const std::string& only = world.options.link;
  std::string out;
  for (const config::Link& link : world.config.links) {
    if (!only.empty() && link.name != only) continue;
    const JsonObject state = sys::link_status(world.paths, link);
    is_up = is_up || state.string("state") == "up";
    out += world.options.common.json ? state.dump() + "\n" : describe(state);
  }
  return out;
}

/// Shows the states again whenever they change: on a terminal in the same place, else one behind the other.
Result<ExitStatus> watch(const World& world) {
  constexpr int kPause = 1000;
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGINT, SIGTERM, SIGHUP}));
  const bool redraw = stdout_is_terminal() && !world.options.common.json;
  std::string shown;
  while (true) {
    bool is_up = false;
    std::string now = states(world, is_up);
    if (now != shown) {
      if (redraw) print("\x1b[H\x1b[2J");
      print(now);
      if (std::fflush(stdout) != 0) return system_error(errno, "stdout");
      shown = std::move(now);
    }
    pollfd waiting{signals.fd(), POLLIN, 0};
    if (::poll(&waiting, 1, kPause) > 0) return ExitStatus::ok;
  }
}

}  // namespace

Result<ExitStatus> status(const World& world) {
  if (!world.options.link.empty()) LONGLINE_CHECK(named_link(world));
  if (world.options.watch) return watch(world);
  bool is_up = false;
  const std::string text = states(world, is_up);
  if (!world.options.common.quiet) print(text);
  // For one link it is a question; for all of them a listing.
  return world.options.link.empty() || is_up ? ExitStatus::ok : ExitStatus::no;
}

}  // namespace longline::tools::dialctl
