// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>

#include "base/text.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/link_client.hpp"

namespace longline::tools::dialctl {
namespace {

void print(const std::string& line) { std::fwrite(line.data(), 1, line.size(), stdout); }

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

Result<ExitStatus> status(const World& world) {
  const std::string& only = world.options.link;
  if (!only.empty()) LONGLINE_CHECK(named_link(world));
  bool is_up = false;
  for (const config::Link& link : world.config.links) {
    if (!only.empty() && link.name != only) continue;
    const JsonObject state = sys::link_status(world.paths, link);
    is_up = is_up || state.string("state") == "up";
    if (world.options.common.quiet) continue;
    print(world.options.common.json ? state.dump() + "\n" : describe(state));
  }
  // For one link it is a question; for all of them a listing.
  return only.empty() || is_up ? ExitStatus::ok : ExitStatus::no;
}

}  // namespace longline::tools::dialctl
