// SPDX-License-Identifier: MIT
#include "sys/config_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "sys/secret_file.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostConfig = 1 << 20;

void check_secret(const config::SecretSource& source, std::vector<Diagnostic>& diagnostics) {
  if (source.file.empty()) return;
  if (const Result<void> checked = check_secret_file(source.file); !checked) {
    diagnostics.push_back({Severity::error, "secret-file", source.where, 1, checked.error().message(), checked.error().hint});
  }
}

std::string render_all(const config::ParsedConfig& parsed, Severity at_least) {
  std::string out;
  for (const Diagnostic& d : parsed.diagnostics) {
    if (d.severity < at_least) continue;
    const auto source = std::find_if(parsed.sources.begin(), parsed.sources.end(),
                                     [&](const SourceText& s) { return s.file() == d.where.file; });
    out += render(d, source == parsed.sources.end() ? SourceText(d.where.file, "") : *source);
  }
  return out;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
  UniqueFd owned;
  int fd = STDIN_FILENO;
  if (path != "-") {
    owned = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!owned) return system_error(errno, path);
    fd = owned.get();
  }
  std::string out;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, path);
    if (got == 0) return out;
    if (out.size() + static_cast<std::size_t>(got) > most) {
      return Error(Errc::malformed, fmt::format("{} is larger than {} bytes", path, most));
    }
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<config::ParsedConfig> read_config(const StatePaths& paths) {
  std::vector<config::ConfigText> files;
  Result<std::string> main_text = read_file(paths.config_file, kMostConfig);
  if (main_text) {
    files.push_back({paths.config_file, std::move(*main_text)});
  } else if (main_text.error().code != Errc::not_found || paths.config_file_named) {
    return std::move(main_text).error().context("configuration");
  }
  std::vector<std::string> more;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(paths.config_dir, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->path().extension() == ".toml") more.push_back(entry->path());
  }
  std::sort(more.begin(), more.end());
  for (const std::string& path : more) {
    LONGLINE_TRY(std::string text, read_file(path, kMostConfig));
    files.push_back({path, std::move(text)});
  }
  config::ParsedConfig parsed = config::parse_config(files);
  for (const config::Link& link : parsed.config.links) {
    check_secret(link.password, parsed.diagnostics);
    check_secret(link.pin, parsed.diagnostics);
    check_secret(link.caller_password, parsed.diagnostics);
  }
  for (const config::Connector& connector : parsed.config.connectors) {
    check_secret(connector.password, parsed.diagnostics);
    check_secret(connector.x400.password, parsed.diagnostics);
    check_secret(connector.x400.peer_password, parsed.diagnostics);
  }
  return parsed;
}

Result<LoadedConfig> load_config(const StatePaths& paths) {
  LONGLINE_TRY(config::ParsedConfig parsed, read_config(paths));
  if (has_errors(parsed.diagnostics)) {
    std::string all = render_all(parsed, Severity::warning);
    if (!all.empty() && all.back() == '\n') all.pop_back();
    return Error(Errc::config, std::move(all));
  }
  return LoadedConfig{std::move(parsed.config), render_all(parsed, Severity::warning)};
}

}  // namespace longline::sys
