// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/json.hpp"
#include "base/text.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/port/port_report.hpp"

namespace longline::tools::dialctl {
namespace {

constexpr std::string_view kIgnore = "a udev rule with ENV{ID_MM_DEVICE_IGNORE}=\"1\" for the device (scripts/udev has one), or for now "
                                     "mmcli --inhibit-device";

void print_line(const std::string& text) { print(text + "\n"); }

std::string list(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + escape(word);
  return out;
}

std::string who(const sys::PortUser& user) {
  return user.name.empty() ? fmt::format("process {}", user.pid) : fmt::format("process {} ({})", user.pid, escape_at_most(user.name, 64));
}

void show(const CommonOptions& common, const std::string& port, const sys::PortUser& user) {
  if (common.json) {
    JsonObject out;
    out.set("port", port).set("state", "held").set("pid", user.pid).set("name", user.name).set("methods", user.methods);
    out.set("since", user.since ? std::optional(format_iso8601(*user.since)) : std::nullopt);
    if (user.link.empty()) out.set_null("link");
    else out.set("link", user.link);
    print_line(out.dump());
  } else if (!common.quiet) {
    print_line(fmt::format("{}: held by {}{}{}: {}", escape(port), who(user),
                           user.link.empty() ? "" : fmt::format(", supervisor of link '{}'", escape(user.link)),
                      user.since ? " since " + format_iso8601(*user.since) : "", list(user.methods)));
  }
}

Result<void> take_over(const CommonOptions& common, const std::string& port, const sys::PortReport& report) {
  LONGLINE_CHECK(sys::remove_dead_lock(report.dead_lock));
  const std::string of = report.dead_pid == 0 ? "that names no process" : fmt::format("of process {}, which is dead", report.dead_pid);
  if (common.json) {
    JsonObject out;
    out.set("port", port).set("state", "dead").set("lock_file", report.dead_lock);
    if (report.dead_pid == 0) out.set_null("pid");
    else out.set("pid", report.dead_pid);
    print_line(out.dump());
  } else if (!common.quiet) {
    print_line(fmt::format("{}: took away the lock file {} {}", escape(port), report.dead_lock, of));
  }
  return {};
}

Error held(const std::string& port, const std::vector<sys::PortUser>& users) {
  const sys::PortUser& first = users.front();
  Error error(Errc::port_in_use,
              fmt::format("{}: held by {}{}, which lives", escape(port), who(first),
                          users.size() > 1 ? fmt::format(" and {} more", users.size() - 1) : ""),
              Stage::lock);
  const bool manager = std::any_of(users.begin(), users.end(), [](const sys::PortUser& u) { return u.name == "ModemManager"; });
  if (manager) error.hint = "ModemManager keeps its hands off with " + std::string(kIgnore);
  else if (!first.link.empty()) error.hint = fmt::format("dialctl down {} hangs up", escape(first.link));
  else error.hint = "wait until it ends, or end it";
  return error;
}

}  // namespace

Result<ExitStatus> unlock(const Options& options, const sys::StatePaths& paths) {
  const std::string& named = options.port;
  const bool whole = named.starts_with("/") || named.starts_with("tcp:");
  const std::string port = whole ? named : "/dev/" + named;
  const sys::PortReport report = sys::inspect_port(port, paths.run_dir);
  for (const sys::PortUser& user : report.users) show(options.common, port, user);
  if (!report.dead_lock.empty()) LONGLINE_CHECK(take_over(options.common, port, report));
  if (!report.users.empty()) return held(port, report.users);
  if (!report.exists) {
    return Error(Errc::no_device, fmt::format("{} is not there", escape(port)), Stage::port).with_hint("dialctl ports shows what is there");
  }
  if (options.common.json) {
    print_line(JsonObject().set("port", port).set("state", "free").set("modem_manager", report.modem_manager).dump());
  } else if (!options.common.quiet) {
    print_line(fmt::format("{}: free", escape(port)));
    if (report.modem_manager) {
      std::fprintf(stderr, "dialctl: warning: ModemManager runs and may take the port at any time; it keeps off with %s\n", std::string(kIgnore).c_str());
    }
  }
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
