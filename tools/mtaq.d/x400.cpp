// SPDX-License-Identifier: MIT
// x400 ping: bind to an X.400 peer and release, and say what was agreed on, or why it was not.
#include <fmt/format.h>

#include <cstdio>

#include "base/json.hpp"
#include "base/text.hpp"
#include "sys/x400/x400_visit.hpp"
#include "verbs.hpp"

namespace longline::mtaq {

Result<ExitStatus> run_x400_ping(const Options& options, World& world) {
  const std::string& name = options.x400.connector;
  LONGLINE_CHECK(check_connector(world, name));
  const config::Connector* connector = world.config.find_connector(name);
  if (connector == nullptr) return Error(Errc::usage, "name a connector");
  if (connector->protocol != config::Protocol::x400) {
    return Error(Errc::config, "connector " + connector->name + " does not speak X.400").with_hint("protocol = \"x400\"");
  }
  const auto failed = [&](const Error& error) { return Error(error).context("connector " + connector->name); };
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open(world.paths.spool));
  sys::Loop loop;
  const sys::PeerAddress address = sys::peer_address(*connector);
  sys::X400Visit visit(loop, spool, world.config, world.paths, world.events, world.host, *connector, address, {});
  const TimePoint began = sys::steady_now();
  if (const Result<void> opened = visit.open(began + options.x400.deadline); !opened) return failed(opened.error());
  const auto alarm = loop.at(began + options.x400.deadline, [&] { visit.abort(); });
  const Result<x400::Bound> bound = visit.ping();
  if (!bound) {
    if (sys::steady_now() >= began + options.x400.deadline) return failed(Error(Errc::deadline, "the peer did not answer in time", Stage::connect));
    return failed(bound.error());
  }
  const Duration took = sys::steady_now() - began;
  if (options.common.json) {
    JsonObject out;
    out.set("connector", connector->name).set("next_hop", to_string(address)).set("mode", "normal");
    out.set("peer", bound->peer_name.empty() ? std::nullopt : std::optional(bound->peer_name));
    out.set("two_way", bound->two_way).set("checkpoint_size", static_cast<std::int64_t>(bound->checkpoint_size));
    out.set("window", static_cast<std::int64_t>(bound->window)).set("seconds", static_cast<double>(took.count()) / 1000);
    std::printf("%s\n", out.dump().c_str());
  } else if (!options.common.quiet) {
    const std::string sizes =
        bound->checkpoint_size == 0 ? "no checkpoints" : fmt::format("checkpoints of {} K, window {}", bound->checkpoint_size, bound->window);
    std::printf("%s at %s: bound and released in %s; 1988 normal mode, %s, %s\n",
                bound->peer_name.empty() ? "an MTA without a name" : bound->peer_name.c_str(), escape(to_string(address)).c_str(),
                format_duration(took).c_str(), bound->two_way ? "mail both ways" : "mail one way", sizes.c_str());
  }
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
