// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/json.hpp"
#include "base/text.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/config_file.hpp"
#include "sys/event_reader.hpp"

namespace longline::tools::dialctl {
namespace {

std::string text_of(const JsonObject& event) {
  const auto shown = [&](const char* key) { return escape(event.string(key).value_or("")); };
  std::string out = fmt::format("{:<20}  {:<20}", shown("time"), shown("event"));
  const std::string link = shown("link"), connector = shown("connector");
  if (!link.empty()) out += "  " + link;
  if (!connector.empty()) out += "  " + connector;
  for (const char* key : {"message", "recipient", "number"}) {
    if (event.string(key).value_or("") != "") out += fmt::format("  {}={}", key, shown(key));
  }
  for (const char* key : {"attempt", "seconds", "bytes_in", "bytes_out", "due", "sent", "count"}) {
    if (const std::optional<std::int64_t> value = event.integer(key)) out += fmt::format("  {}={}", key, *value);
  }
  if (const std::string text = shown("text"); !text.empty()) out += "  " + text;
  if (const std::optional<std::int64_t> ras = event.integer("ras")) out += fmt::format(" (RAS {})", *ras);
  if (const std::string transcript = shown("transcript"); !transcript.empty()) out += "  transcript=" + transcript;
  return out;
}

/// Until a signal ends us, or nobody reads what we print.
Result<void> follow(sys::EventReader& reader) {
  LONGLINE_TRY(const int fd, reader.watch());
  while (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    pollfd waiting[2] = {{fd, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    if (::poll(waiting, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "poll", Errc::os);
    }
    if ((waiting[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return {};
    LONGLINE_CHECK(reader.read_more());
  }
  return {};
}

}  // namespace

Result<ExitStatus> events(const Options& options, const sys::StatePaths& paths) {
  std::optional<WallTime> since;
  if (!options.since.empty()) {
    LONGLINE_TRY(since, since_when(options.since));
  }
  bool any = false;
  sys::EventReader reader(paths.events, [&](const JsonObject& event) {
    if (!options.link.empty() && event.string("link") != options.link) return;
    any = true;
    if (since) {
      const Result<WallTime> at = parse_iso8601(event.string("time").value_or(""));
      if (!at || *at < *since) return;
    }
    const std::string line = (options.common.json ? event.dump() : text_of(event)) + '\n';
    std::fwrite(line.data(), 1, line.size(), stdout);
  });
  LONGLINE_CHECK(reader.read_all());
  if (reader.unreadable() > 0 && options.common.verbose > 0) {
    std::fprintf(stderr, "dialctl: %zu lines of %s are no events\n", reader.unreadable(), escape(paths.events).c_str());
  }
  // The log may know links that the configuration does not, any more. A name that neither knows is a slip.
  if (!options.link.empty() && !any) {
    LONGLINE_TRY(sys::LoadedConfig loaded, sys::load_config(paths));
    LONGLINE_CHECK(named_link({options, paths, std::move(loaded.config)}));
  }
  if (options.follow) LONGLINE_CHECK(follow(reader));
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
