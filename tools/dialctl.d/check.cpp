// SPDX-License-Identifier: MIT
// check: everything that can be known to go wrong before a call is paid for.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/link/link_routes.hpp"
#include "sys/network/route_table.hpp"
#include "sys/ppp/pppd.hpp"

namespace longline::tools::dialctl {
namespace {

/// Prints findings as they come, and keeps the worst in mind.
class Findings {
 public:
  explicit Findings(const CommonOptions& common) : common_(common) {}

  /// `link`: "" for the configuration as a whole.
  void diagnostics(const std::vector<Diagnostic>& all, const std::vector<SourceText>& sources, const std::string& link) {
    for (const Diagnostic& d : all) {
      const auto source = std::find_if(sources.begin(), sources.end(), [&](const SourceText& s) { return s.file() == d.where.file; });
      const SourceText shown = source == sources.end() ? SourceText(d.where.file, "") : without_secrets(*source, all);
      count(d.severity);
      if (is_hidden(d.severity)) continue;
      if (!common_.json) {
        print(render(d, shown, stdout_is_terminal() && colour_on_stderr()));
        continue;
      }
      JsonObject out;
      out.set("file", d.where.file).set("line", d.where.line).set("column", d.where.column);
      out.set("severity", to_string(d.severity)).set("code", d.code);
      put(out, "link", link);
      out.set("message", d.message);
      put(out, "fix", d.fix);
      print(out.dump() + "\n");
    }
  }

  void link(Severity severity, std::string_view code, const config::Link& link, const std::string& message, const std::string& advice) {
    count(severity);
    if (is_hidden(severity)) return;
    if (!common_.json) {
      print(fmt::format("link '{}': {}: {} [{}]\n", escape(link.name), to_string(severity), escape(message), code));
      if (!advice.empty()) print("  " + escape(advice) + "\n");
      return;
    }
    JsonObject out;
    out.set("file", link.where.file).set("line", link.where.line).set("column", link.where.column);
    out.set("severity", to_string(severity)).set("code", code).set("link", link.name).set("message", message);
    put(out, "advice", advice);
    print(out.dump() + "\n");
  }

  void route(const route::Finding& finding) {
    stolen_ = true;
    if (!common_.json) {
      if (common_.quiet) return;
      print(fmt::format("link '{}': {}: {} [{}]\n  {}\n", escape(finding.link), escape(finding.route), escape(finding.message), finding.code,
                        escape(finding.advice)));
      return;
    }
    JsonObject out;
    out.set("severity", "error").set("code", finding.code).set("link", finding.link).set("route", finding.route);
    out.set("message", finding.message).set("advice", finding.advice);
    print(out.dump() + "\n");
  }

  bool has_errors() const { return errors_; }
  ExitStatus status() const { return errors_ ? ExitStatus::config : stolen_ ? ExitStatus::no : ExitStatus::ok; }

 private:
  static void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
  static void put(JsonObject& out, std::string_view key, const std::string& text) {
    if (text.empty()) out.set_null(key);
    else out.set(key, text);
  }
  void count(Severity severity) { errors_ = errors_ || severity == Severity::error; }
  bool is_hidden(Severity severity) const { return common_.quiet && severity != Severity::error; }

  const CommonOptions& common_;
  bool errors_ = false;
  bool stolen_ = false;
};

/// What chatrun check finds, with the deadline that the login is going to have; and what the script wants of the entry.
void check_script(const config::Link& link, Findings& findings) {
  constexpr std::size_t kMost = 1 << 20;
  if (link.script.empty()) return;
  Result<std::string> text = sys::read_file(link.script, kMost);
  if (!text) {
    findings.link(Severity::error, "script-file", link, "script: " + text.error().message(), "correct 'script', or copy the file there");
    return;
  }
  const script::LoginScript script = script::parse_login_script(link.script, std::move(*text));
  const std::vector<Diagnostic> found = script::check(script, link.login_timeout);
  findings.diagnostics(found, {script::source_of(script)}, link.name);
  if (has_errors(script::findings_of(script))) return;
  const script::LoginProgram program = script::program_of(script);
  if (script::needs_user(program) && link.user.empty()) {
    findings.link(Severity::error, "user-missing", link, "the script sends $USERID, and 'user' is not set", "set 'user'");
  }
  if (script::needs_password(program) && link.password.empty()) {
    findings.link(Severity::error, "password-missing", link, "the script sends $PASSWORD, and 'password-file' is not set",
                  "put the password alone into a file, chmod 600, and name it in 'password-file'");
  }
}

/// A modem may be unplugged now and there when it is needed: a warning.
void check_port(const config::Link& link, Findings& findings) {
  if (link.port.starts_with("tcp:")) return;
  struct stat device{};
  if (::stat(link.port.c_str(), &device) != 0) {
    findings.link(Severity::warning, "no-device", link, fmt::format("{} is not there", link.port), "plug the modem in; dialctl ports shows what is there");
  } else if (!S_ISCHR(device.st_mode)) {
    findings.link(Severity::error, "not-a-tty", link, fmt::format("{} is not a serial device", link.port), "correct 'port'");
  } else if (::access(link.port.c_str(), R_OK | W_OK) != 0) {
    findings.link(Severity::warning, "no-permission", link, fmt::format("this user may not use {}", link.port),
                  "run it as root, or join the group that owns the device (dialout)");
  }
}

void check_programs(const config::Link& link, Findings& findings) {
  for (const auto& [key, argv] : {std::pair{"on-failure", &link.on_failure}, std::pair{"password-command", &link.password.command}}) {
    if (argv->empty() || !argv->front().starts_with('/') || ::access(argv->front().c_str(), X_OK) == 0) continue;
    findings.link(Severity::warning, "no-program", link, fmt::format("{}: {} cannot be run", key, argv->front()), "correct the path, or chmod +x");
  }
}

std::optional<route::Prefix> network_named(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<route::IpAddress> address = route::parse_address(text.substr(0, slash));
  const std::optional<std::int64_t> length = parse_integer(text.substr(slash + 1));
  if (!address || !length || *length < 0 || *length > address_bits(address->family)) return std::nullopt;
  return route::network_of({*address, static_cast<int>(*length)});
}

/// Callers with addresses of a LAN would be looked for there.
void check_pool(const config::Link& link, const route::KernelState& kernel, const std::vector<route::InterfaceAddress>& addresses,
                Findings& findings) {
  const std::optional<route::Prefix> pool = network_named(link.pool);
  if (!pool) return;
  for (const route::InterfaceAddress& address : addresses) {
    const route::Interface* interface = kernel.interfaces.numbered(address.interface);
    if (interface == nullptr || interface->point_to_point || interface->name == "lo") continue;
    const route::Prefix lan = route::network_of(address.network);
    if (!lan.covers(*pool) && !pool->covers(lan)) continue;
    findings.link(Severity::error, "pool-on-lan", link,
                  fmt::format("pool {} overlaps {}, the network of {}", to_string(*pool), to_string(lan), interface->name),
                  "choose a network that is used nowhere else");
  }
}

/// Q171001: a default route down a link whose entry does not grant it.
void check_routes(const config::Config& config, const sys::StatePaths& paths, const std::string& only, const route::KernelState& kernel,
                  const std::vector<route::InterfaceAddress>& addresses, Findings& findings) {
  std::optional<std::string> text = sys::routes_in_force(paths);
  if (!text) text = sys::read_file(paths.routes, route::kMostBytes).value_or("");
  const route::ParsedRoutes wanted =
      route::parse_routes(paths.routes, std::move(*text), [](const std::string& path) { return sys::read_file(path, route::kMostBytes); });
  std::vector<std::string> names = config.link_names();
  for (const route::Wanted& route : wanted.routes) {
    if (!route.route.link.empty()) names.push_back(route.route.link);
  }
  const route::LinkStates links = sys::link_states(names, &config, paths);
  const std::vector<route::LinkFacts> facts = sys::link_facts(config);
  for (const route::Finding& finding : route::check_routes({kernel, addresses, wanted.routes, links, facts})) {
    if (finding.code != "stolen-default" || finding.link.empty()) continue;
    if (only.empty() || finding.link == only) findings.route(finding);
  }
}

}  // namespace

Result<ExitStatus> check(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const config::ParsedConfig parsed, sys::read_config(paths));
  Findings findings(options.common);
  findings.diagnostics(parsed.diagnostics, parsed.sources, "");
  // What could not be read cannot be looked into.
  if (findings.has_errors()) return findings.status();
  const config::Config& config = parsed.config;
  const std::string& only = options.link;
  if (!only.empty()) LONGLINE_CHECK(named_link({options, paths, config}));
  const Result<route::KernelState> kernel = sys::read_kernel_state();
  const Result<std::vector<route::InterfaceAddress>> addresses = sys::read_addresses();
  const bool any_ppp = std::any_of(config.links.begin(), config.links.end(), [](const config::Link& l) { return l.network == config::Network::ppp; });
  const Result<std::string> pppd = any_ppp ? sys::find_pppd() : std::string();
  for (const config::Link& link : config.links) {
    if (!only.empty() && link.name != only) continue;
    if (link.network == config::Network::ppp && !pppd) findings.link(Severity::warning, "no-ppp", link, pppd.error().message(), pppd.error().hint);
    check_port(link, findings);
    check_script(link, findings);
    check_programs(link, findings);
    if (kernel && addresses) check_pool(link, *kernel, *addresses, findings);
  }
  if (!kernel) return std::move(kernel).error();
  if (!addresses) return std::move(addresses).error();
  check_routes(config, paths, only, *kernel, *addresses, findings);
  return findings.status();
}

}  // namespace longline::tools::dialctl
