// SPDX-License-Identifier: MIT
#include "sys/state_paths.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace longline::sys {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string home() {
  std::string from_environment = environment("HOME");
  if (!from_environment.empty() && from_environment.front() == '/') return from_environment;
  const passwd* entry = ::getpwuid(::getuid());
  return entry == nullptr || entry->pw_dir == nullptr ? "/nonexistent" : entry->pw_dir;
}

std::string xdg(const char* variable, const char* below_home) {
  std::string value = environment(variable);
  if (!value.empty() && value.front() == '/') return value;
  return home() + below_home;
}

Result<std::string> absolute(std::string_view path) {
  std::error_code failure;
  const std::filesystem::path full = std::filesystem::absolute(std::filesystem::path(path), failure);
  if (failure) return system_error(failure.value(), fmt::format("{}", path));
  return full.lexically_normal().string();
}

std::string encode(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || (c == '.' && !out.empty());
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

std::string StatePaths::control_socket(std::string_view link) const { return run_dir + "/" + encode(link) + ".sock"; }
std::string StatePaths::line_socket(std::string_view link) const { return run_dir + "/" + encode(link) + ".line"; }
std::string StatePaths::link_lock(std::string_view link) const { return run_dir + "/" + encode(link) + ".lock"; }
std::string StatePaths::link_record(std::string_view link) const { return run_dir + "/" + encode(link) + ".last"; }
std::string StatePaths::sim_pin(std::string_view link) const {
  return std::filesystem::path(calls).parent_path().string() + "/" + encode(link) + ".simpin";
}
std::string StatePaths::transcript_start(std::string_view link) const { return transcripts + "/" + encode(link) + "-"; }
std::string StatePaths::link_interface(std::string_view link) const { return run_dir + "/" + encode(link) + ".interface"; }
std::string StatePaths::link_undo(std::string_view link) const {
  return (std::filesystem::path(calls).parent_path() / (encode(link) + ".undo")).string();
}

Result<StatePaths> paths_for(std::string_view config, std::string_view root, bool is_host_wide) {
  StatePaths paths;
  std::string base(root);
  if (base.empty()) base = environment("LONGLINE_ROOT");
  if (!base.empty()) {
    LONGLINE_TRY(base, absolute(base));
    while (base.size() > 1 && base.back() == '/') base.pop_back();
    paths.config_file = base + "/longline.toml";
    paths.routes = base + "/routes";
    paths.run_dir = base + "/run";
    paths.spool = base + "/spool.db";
    paths.aliases = base + "/aliases";
    paths.calls = base + "/calls.db";
    paths.events = base + "/events.jsonl";
  } else if (is_host_wide) {
    paths.host_wide = true;
    paths.aliases = "/etc/aliases";
    paths.config_file = "/etc/longline/longline.toml";
    paths.routes = "/etc/longline/routes";
    paths.run_dir = "/run/longline";
    paths.spool = "/var/spool/longline/spool.db";
    paths.calls = "/var/lib/longline/calls.db";
    paths.events = "/var/log/longline/events.jsonl";
  } else {
    const std::string state = xdg("XDG_STATE_HOME", "/.local/state") + "/longline";
    const std::string settings = xdg("XDG_CONFIG_HOME", "/.config") + "/longline";
    const std::string runtime = environment("XDG_RUNTIME_DIR");
    paths.config_file = settings + "/longline.toml";
    paths.routes = settings + "/routes";
    // The same folder with and without a login session, so that cron and shell meet.
    paths.run_dir = (runtime.empty() ? fmt::format("/run/user/{}", ::getuid()) : runtime) + "/longline";
    paths.spool = state + "/spool.db";
    paths.calls = state + "/calls.db";
    paths.events = state + "/events.jsonl";
  }
  if (!paths.aliases.empty()) paths.drop = std::filesystem::path(paths.spool).parent_path().string() + "/drop";
  paths.transcripts = std::filesystem::path(paths.events).parent_path().string() + "/transcripts";
  std::string named(config);
  if (named.empty()) named = environment("LONGLINE_CONFIG");
  if (!named.empty()) {
    LONGLINE_TRY(paths.config_file, absolute(named));
    paths.config_file_named = true;
  }
  paths.config_dir = std::filesystem::path(paths.config_file).parent_path().string() + "/longline.d";
  return paths;
}

Result<StatePaths> state_paths(std::string_view config, std::string_view root) { return paths_for(config, root, ::geteuid() == 0); }

Result<StatePaths> mail_paths(std::string_view config, std::string_view root) {
  std::error_code unreadable;
  return paths_for(config, root, ::geteuid() == 0 || std::filesystem::is_directory("/etc/longline", unreadable));
}

std::string parent_folder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Result<void> ensure_folder(const std::string& path) {
  std::error_code failure;
  const std::filesystem::path folder(path);
  if (std::filesystem::is_directory(folder, failure)) return {};
  std::filesystem::create_directories(folder.parent_path(), failure);
  if (failure) {
    Error error = system_error(failure.value(), folder.parent_path().string(), Errc::cannot_create);
    if (path.starts_with("/run/user/")) error.hint = "without a login session: loginctl enable-linger USER, or --root";
    return error;
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error(errno, path, Errc::cannot_create);
  return {};
}

}  // namespace longline::sys
