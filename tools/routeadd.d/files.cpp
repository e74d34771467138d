// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "routeadd.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/huge_pages.hpp"
#include "sys/process.hpp"
#include "sys/system_clock.hpp"
#include "sys/text_file.hpp"

namespace longline::routeadd {
namespace {

constexpr Duration kLockPatience{30'000};

/// `< FILE`, from its start. Anything else that a cron job, a service or a loop leaves on stdin is not meant for us.
bool stdin_is_a_fresh_file() {
  struct stat status {};
  return ::fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
         ::lseek(STDIN_FILENO, 0, SEEK_CUR) == 0;
}

}  // namespace

RouteSource choose_source(const std::string& file, const sys::StatePaths& paths) {
  if (!file.empty()) return {file, true};
  if (stdin_is_a_fresh_file()) return {"-", true};
  return {paths.routes, false};
}

Result<std::string> read_source(const RouteSource& source) {
  Result<std::string> text = sys::read_file(source.path, route::kMostBytes);
  if (!text && !source.named && text.error().code == Errc::not_found) return std::string();
  if (!text) return std::move(text).error().in_stage(Stage::route);
  return text;
}

Result<route::ParsedRoutes> parse_source(const RouteSource& source, std::string text) {
  const std::string name = source.path == "-" ? std::string(kStdinName) : source.path;
  route::ParsedRoutes parsed = route::parse_routes(
      name, std::move(text), [](const std::string& path) { return sys::read_file(path, route::kMostBytes); });
  if (parsed.ok()) return parsed;
  std::string all = parsed.rendered(tools::colour_on_stderr());
  while (!all.empty() && all.back() == '\n') all.pop_back();
  if (parsed.diagnostics.size() >= route::kMostDiagnostics) all += fmt::format("\nonly the first {} errors are shown", route::kMostDiagnostics);
  return Error(Errc::malformed, std::move(all), Stage::route);
}

Result<route::ParsedRoutes> read_routes(const RouteSource& source) {
  LONGLINE_TRY(std::string text, read_source(source));
  // A route takes this much more memory than its line, with the kernel's view of it.
  constexpr std::size_t kLarge = 1 << 20, kTimes = 24;
  if (text.size() > kLarge) sys::expect_memory(text.size() * kTimes);
  return parse_source(source, std::move(text));
}

Result<route::ParsedRoutes> read_routes_in_force(const sys::StatePaths& paths) {
  if (std::optional<std::string> text = sys::routes_in_force(paths)) return parse_source({sys::in_force_path(paths), false}, std::move(*text));
  return read_routes({paths.routes, false});
}

std::string text_of(const std::vector<route::Wanted>& routes) {
  std::string text;
  for (const route::Wanted& wanted : routes) text += to_string(wanted.route) + '\n';
  return text;
}

void save_routes_in_force(std::string_view text, const Options& options, const sys::StatePaths& paths) {
  const std::string whole = whole_file_in_force(text);
  std::error_code failure;   // a file of another size need not be read
  if (std::filesystem::file_size(in_force_path(paths), failure) == whole.size() && routes_in_force(paths) == whole) return;
  const Result<void> saved = sys::rewrite_text_file(in_force_path(paths), whole, /*durable=*/false);
  if (!saved && !options.common.quiet) {
    std::fprintf(stderr, "routeadd: warning: %s\n", saved.error().message().c_str());
  }
}

Result<sys::RouteLock> lock_routes(const sys::StatePaths& paths) {
  return sys::RouteLock::acquire(paths.run_dir + "/routes.lock", sys::steady_now() + kLockPatience);
}

}  // namespace longline::routeadd
