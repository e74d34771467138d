// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"
#include "common/tool.hpp"
#include "config/toml_text.hpp"
#include "dialctl.d/network_text.hpp"
#include "dialctl.d/policy_text.hpp"
#include "dialctl.d/verbs.hpp"
#include "link/dial_options.hpp"
#include "sys/link/link_client.hpp"

namespace longline::tools::dialctl {
namespace {

std::string_view name_of(config::Flow flow) {
  return flow == config::Flow::rtscts ? "rtscts" : flow == config::Flow::xonxoff ? "xonxoff" : "none";
}
std::string_view name_of(config::ModemKind modem) {
  return modem == config::ModemKind::hayes ? "hayes" : modem == config::ModemKind::gsm ? "gsm" : "none";
}
std::string_view name_of(config::Network network) { return network == config::Network::stream ? "stream" : "ppp"; }

using config::toml_array;
using config::toml_string;

std::string as_toml(const config::Link& link) {
  std::string out = fmt::format("[link.{}]\n", config::toml_key(link.name));
  const auto line = [&](std::string_view key, const std::string& value) { out += fmt::format("{} = {}\n", key, value); };
  const auto text = [&](std::string_view key, std::string_view value) { line(key, toml_string(value)); };
  const auto time = [&](std::string_view key, Duration value) { text(key, format_duration(value)); };
  text("port", link.port);
  line("speed", std::to_string(link.speed));
  text("framing", link.framing);
  text("flow", name_of(link.flow));
  text("modem", name_of(link.modem));
  line("init", toml_array(link.init));
  text("dial", link.dial);
  line("numbers", toml_array(link.numbers));
  time("dial-timeout", link.dial_timeout);
  line("attempts", std::to_string(link.attempts));
  time("interval", link.interval);
  if (!link.script.empty()) text("script", link.script);
  time("login-timeout", link.login_timeout);
  if (!link.user.empty()) text("user", link.user);
  if (!link.password.file.empty()) text("password-file", link.password.file);
  if (!link.password.command.empty()) line("password-command", toml_array(link.password.command));
  text("network", name_of(link.network));
  if (!link.ppp_options.empty()) line("ppp-options", toml_array(link.ppp_options));
  time("network-timeout", link.network_timeout);
  line("default-route", link.default_route == config::DefaultRoute::replace ? "\"replace\""
                        : link.default_route == config::DefaultRoute::beside ? "true"
                                                                             : "false");
  line("default-route-metric", std::to_string(link.default_route_metric));
  line("dns", link.dns ? "true" : "false");
  if (!link.pool.empty()) text("pool", link.pool);
  if (!link.caller_password.file.empty()) text("caller-password-file", link.caller_password.file);
  if (!link.caller_password.command.empty()) line("caller-password-command", toml_array(link.caller_password.command));
  line("rings", std::to_string(link.rings));
  line("authenticate-peer", link.authenticate_peer ? "true" : "false");
  line("forward", link.forward ? "true" : "false");
  time("idle", link.idle);
  time("max-call", link.max_call);
  if (link.modem == config::ModemKind::gsm) {
    if (!link.apn.empty()) text("apn", link.apn);
    if (!link.pin.file.empty()) text("pin-file", link.pin.file);
    if (!link.pin.command.empty()) line("pin-command", toml_array(link.pin.command));
    time("registration-timeout", link.registration_timeout);
    line("roaming", link.roaming ? "true" : "false");
  }
  if (!link.reset_command.empty()) line("reset-command", toml_array(link.reset_command));
  if (!link.on_failure.empty()) line("on-failure", toml_array(link.on_failure));
  return out + policy_toml(link);
}

JsonObject as_json(const config::Link& link) {
  JsonObject out;
  const auto seconds = [](Duration d) { return static_cast<double>(d.count()) / 1000; };
  const auto maybe = [](const std::string& s) { return s.empty() ? std::nullopt : std::optional(s); };
  out.set("link", link.name).set("port", link.port).set("speed", link.speed).set("framing", link.framing);
  out.set("flow", name_of(link.flow)).set("modem", name_of(link.modem)).set("init", link.init).set("dial", link.dial);
  out.set("numbers", link.numbers).set("dial-timeout", seconds(link.dial_timeout)).set("attempts", link.attempts);
  out.set("interval", seconds(link.interval)).set("script", maybe(link.script));
  out.set("login-timeout", seconds(link.login_timeout)).set("user", maybe(link.user));
  out.set("password-file", maybe(link.password.file)).set("password-command", link.password.command);
  out.set("network", name_of(link.network)).set("ppp-options", link.ppp_options);
  out.set("network-timeout", seconds(link.network_timeout));
  if (link.default_route == config::DefaultRoute::replace) out.set("default-route", "replace");
  else out.set("default-route", link.default_route == config::DefaultRoute::beside);
  out.set("default-route-metric", link.default_route_metric).set("dns", link.dns);
  out.set("pool", maybe(link.pool)).set("caller-password-file", maybe(link.caller_password.file));
  out.set("caller-password-command", link.caller_password.command).set("rings", link.rings);
  out.set("authenticate-peer", link.authenticate_peer).set("forward", link.forward);
  out.set("idle", seconds(link.idle)).set("max-call", seconds(link.max_call)).set("on-failure", link.on_failure);
  out.set("apn", maybe(link.apn)).set("pin-file", maybe(link.pin.file)).set("pin-command", link.pin.command);
  out.set("registration-timeout", seconds(link.registration_timeout)).set("roaming", link.roaming);
  out.set("reset-command", link.reset_command);
  return out.merge(policy_json(link));
}

/// The longest time from the first dial command until the attempts are given up.
Duration longest_dialling(const config::Link& link) {
  if (link.modem == config::ModemKind::none || link.numbers.empty()) return Duration(0);
  const int rounds = (link.attempts - 1) / static_cast<int>(link.numbers.size());
  return link.attempts * link.dial_timeout + rounds * link.interval;
}

}  // namespace

Result<ExitStatus> show(const World& world) {
  LONGLINE_TRY(const config::Link* link, named_link(world));
  print(world.options.common.json ? as_json(*link).dump() + "\n" : as_toml(*link));
  return ExitStatus::ok;
}

Result<ExitStatus> plan(const World& world) {
  LONGLINE_TRY(const config::Link* link, named_link(world));
  LONGLINE_CHECK(login_script(*link));
  const std::string state = sys::link_status(world.paths, *link).string("state").value_or("down");
  const Duration dialling = longest_dialling(*link);
  std::vector<std::string> dial_order;
  std::vector<std::string> commands;
  if (link->modem != config::ModemKind::none) {
    for (int i = 0; i < link->attempts; ++i) dial_order.push_back(link->numbers[static_cast<std::size_t>(i) % link->numbers.size()]);
    commands.emplace_back("AT");
    commands.insert(commands.end(), link->init.begin(), link->init.end());
    if (const auto gsm = link::dial_options_of(*link, dial_order.front()).gsm) {
      for (std::string& command : modem::gsm_commands(*gsm)) commands.push_back(std::move(command));
    }
    commands.push_back(link->dial + dial_order.front());
  }
  const Duration login = link->script.empty() ? Duration(0) : link->login_timeout;
  if (world.options.common.json) {
    JsonObject out;
    out.set("link", link->name).set("state", state).set("port", link->port).set("network", name_of(link->network));
    out.set("commands", commands).set("dial_order", dial_order);
    out.set("dialing_at_most", static_cast<double>(dialling.count()) / 1000);
    out.set("login_at_most", static_cast<double>(login.count()) / 1000);
    out.set("script", link->script.empty() ? std::nullopt : std::optional(link->script));
    out.set("idle", static_cast<double>(link->idle.count()) / 1000).set("max_call", static_cast<double>(link->max_call.count()) / 1000);
    print(out.merge(network_plan_json(world, *link)).merge(policy_plan_json(world, *link)).dump() + "\n");
    return ExitStatus::ok;
  }
  std::string out = fmt::format("{}: {} now; a call would go like this:\n", escape(link->name), state);
  out += fmt::format("  port      {} at {} bit/s, {}\n", escape(link->port), link->speed, link->framing);
  if (!commands.empty()) {
    std::string all;
    for (const std::string& command : commands) all += (all.empty() ? "" : ", ") + escape(command);
    out += fmt::format("  modem     {}\n", all);
    std::string numbers;
    for (const std::string& number : dial_order) numbers += (numbers.empty() ? "" : ", ") + escape(number);
    out += fmt::format("  dial      {}; at most {} each, {} between rounds\n", numbers, format_duration(link->dial_timeout),
                       format_duration(link->interval));
    out += fmt::format("            given up after {} at the latest\n", format_duration(dialling));
  }
  if (!link->script.empty()) {
    out += fmt::format("  login     {}{}; ended after {} at the latest\n", escape(link->script),
                       link->user.empty() ? "" : " as " + escape(link->user), format_duration(login));
  }
  out += fmt::format("  network   {}; hung up after {} without traffic, or {} in all\n", name_of(link->network),
                     format_duration(link->idle), format_duration(link->max_call));
  print(out + network_plan(world, *link) + policy_plan(world, *link));
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
