// SPDX-License-Identifier: MIT
// summary: a queue in a few lines. watch: the same, live.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "base/text.hpp"
#include "common/tool.hpp"
#include "mail/queue_summary.hpp"
#include "sys/loop.hpp"
#include "sys/signals.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

using tools::print;

Result<mail::QueueSummary> summarize(const SummaryOptions& summary, mail::QueueBackend& queue, mail::ConnectorChoice& choice, WallTime now) {
  const auto usual = queue.name() == "spool" ? mail::SummaryBy::connector : mail::SummaryBy::domain;
  mail::QueueSummary out(summary.by.value_or(usual), choice, now);
  const bool all = summary.filter.empty();
  LONGLINE_CHECK(queue.visit([&](mail::QueuedMessage&& message) {
    if (all || matches(summary.filter, message, choice, now)) out.add(message);
    return true;
  }));
  return out;
}

// One frame of watch for a terminal: drawn over the last one in a single write, so that nothing flickers; what does not fit
// the window is left out.
std::string frame(const std::string& text) {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 && size.ws_col > 1;
  std::string out = "\033[H";
  int rows = 0;
  for (std::string_view line : split(text, '\n')) {
    if (known && ++rows >= size.ws_row) break;
    if (known) line = line.substr(0, size.ws_col);
    out += std::string(line) + "\033[K\r\n";
  }
  return out + "\033[J";
}

std::string watch_json(const mail::QueueSummary& summary, WallTime now) {
  std::vector<JsonObject> groups;
  for (const mail::QueueGroup& group : summary.groups()) groups.push_back(to_json(group, summary.by()));
  const mail::QueueGroup& total = summary.total();
  JsonObject out;
  out.set("time", format_iso8601(now)).set("count", total.count).set("bytes", total.bytes);
  out.set("oldest", total.oldest ? std::optional<std::string>(format_iso8601(*total.oldest)) : std::nullopt);
  return out.set("groups", groups).dump() + "\n";
}

Result<void> check_names(const SummaryOptions& summary, const World& world) {
  LONGLINE_CHECK(check_link(world, summary.filter.link));
  return check_connector(world, summary.filter.connector);
}

// A terminal that was drawn on is left as it was found.
struct Screen {
  explicit Screen(bool used_) : used(used_) {
    if (used) print("\033[?1049h\033[?25l\033[2J");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    if (used) print("\033[?25h\033[?1049l");
  }
  bool used;
};

}  // namespace

Result<ExitStatus> run_summary(const Options& options, World& world) {
  if (options.summary.bytes) return run_summary_bytes(options, world);
  LONGLINE_CHECK(check_names(options.summary, world));
  LONGLINE_TRY(const std::unique_ptr<mail::QueueBackend> queue, open_queue(world, false));
  LONGLINE_TRY(mail::ConnectorChoice choice, choice_now(world));
  const WallTime now = sys::wall_now();
  LONGLINE_TRY(const mail::QueueSummary summary, summarize(options.summary, *queue, choice, now));
  if (!options.common.json) {
    print(summary_text(summary, now));
    return ExitStatus::ok;
  }
  for (const mail::QueueGroup& group : summary.groups()) print(to_json(group, summary.by()).dump() + "\n");
  return ExitStatus::ok;
}

Result<ExitStatus> run_watch(const Options& options, World& world) {
  LONGLINE_CHECK(check_names(options.summary, world));
  LONGLINE_TRY(mail::ConnectorChoice choice, choice_now(world));
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGTERM, SIGINT, SIGHUP}));
  sys::Loop loop;
  bool stopping = false;
  const auto watch = loop.watch(signals.fd(), POLLIN, [&](short) {
    while (signals.take()) stopping = true;
  });
  const bool draws = tools::stdout_is_terminal() && !options.common.json;
  const Screen screen(draws);
  for (int times = 0; !stopping; ++times) {
    if (options.summary.times > 0 && times == options.summary.times) break;
    const TimePoint next = sys::steady_now() + options.summary.interval;
    while (times > 0 && !stopping && sys::steady_now() < next) LONGLINE_CHECK(loop.run_once(next));
    if (stopping) break;
    // Opened anew each time: the spool may be made, moved or replaced meanwhile.
    LONGLINE_TRY(const std::unique_ptr<mail::QueueBackend> queue, open_queue(world, false));
    const WallTime now = sys::wall_now();
    LONGLINE_TRY(const mail::QueueSummary summary, summarize(options.summary, *queue, choice, now));
    const std::string text = summary_text(summary, now);
    const std::string shown = fmt::format("{}  {}\n\n{}", queue->name(), format_iso8601(now), text.empty() ? "nothing waits\n" : text);
    print(options.common.json ? watch_json(summary, now) : draws ? frame(shown) : shown + "\n");
    std::fflush(stdout);
    if (std::ferror(stdout) != 0) break;
  }
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
