// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "base/local_time.hpp"
#include "base/text.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/local_clock.hpp"
#include "sys/system_clock.hpp"

namespace longline::tools::dialctl {

std::vector<std::string> tool_options(const World& world) {
  const CommonOptions& common = world.options.common;
  std::vector<std::string> out;
  if (!common.config.empty()) out.insert(out.end(), {"--config", world.paths.config_file});
  std::error_code failure;
  if (!common.root.empty()) out.insert(out.end(), {"--root", std::filesystem::absolute(common.root, failure).string()});
  return out;
}

Result<WallTime> since_when(const std::string& text) {
  Result<WallTime> since = parse_since(text, sys::wall_now(), sys::local_clock());
  if (since) return since;
  Error error = std::move(since).error().context("--since");
  error.code = Errc::usage;
  return error;
}

Result<const config::Link*> named_link(const World& world) {
  const std::string& name = world.options.link;
  if (const config::Link* link = world.config.find_link(name)) return link;
  const std::optional<std::string> near = nearest(name, world.config.link_names());
  return Error(Errc::not_found, fmt::format("there is no link '{}'{}", escape_at_most(name, 64),
                                            near ? fmt::format("; did you mean '{}'?", *near) : ""),
               Stage::policy)
      .with_hint(world.config.links.empty() ? "no link is configured in " + world.paths.config_file : "dialctl list shows the links");
}

Result<std::optional<script::LoginProgram>> login_script(const config::Link& link) {
  constexpr std::size_t kMost = 1 << 20;
  if (link.script.empty()) return std::optional<script::LoginProgram>();
  Result<std::string> text = sys::read_file(link.script, kMost);
  if (!text) {
    Error error = std::move(text).error().context(fmt::format("link '{}': script", link.name)).in_stage(Stage::login);
    error.code = Errc::config;
    return error;
  }
  const script::LoginScript parsed = script::parse_login_script(link.script, std::move(*text));
  if (has_errors(script::findings_of(parsed))) {
    std::string all;
    for (const Diagnostic& d : script::findings_of(parsed)) {
      if (d.severity == Severity::error) all += render(d, script::source_of(parsed));
    }
    if (!all.empty()) all.pop_back();
    return Error(Errc::script_error, fmt::format("link '{}': the login script is wrong\n{}", link.name, all), Stage::login)
        .with_hint("chatrun check " + link.script);
  }
  const script::LoginProgram program = script::program_of(parsed);
  if (script::needs_user(program) && link.user.empty()) {
    return Error(Errc::config, fmt::format("link '{}': the script sends $USERID, and 'user' is not set", link.name), Stage::login);
  }
  if (script::needs_password(program) && link.password.empty()) {
    return Error(Errc::config, fmt::format("link '{}': the script sends $PASSWORD, and 'password-file' is not set", link.name),
                 Stage::login);
  }
  return std::optional(program);
}

}  // namespace longline::tools::dialctl
