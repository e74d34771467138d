// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "base/text.hpp"
#include "common/tool.hpp"
#include "mail/queue_listing.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

using tools::print;

// What receive took in is our own, whatever queue is looked at.
Result<void> visit(const ListOptions& list, World& world, const mail::QueueBackend::Visitor& visitor) {
  if (list.inbox) {
    LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world.paths.spool));
    return spool.visit(sys::Box::inbox, visitor);
  }
  LONGLINE_TRY(const std::unique_ptr<mail::QueueBackend> queue, open_queue(world, false));
  return queue->visit(visitor);
}

}  // namespace

Result<ExitStatus> run_list(const Options& options, World& world) {
  const ListOptions& list = options.list;
  LONGLINE_CHECK(check_link(world, list.filter.link));
  LONGLINE_CHECK(check_connector(world, list.filter.connector));
  LONGLINE_TRY(mail::ConnectorChoice choice, choice_now(world));
  const WallTime now = sys::wall_now();
  const bool all = list.filter.empty();
  bool header = !options.common.json;
  // A pipe is written in large pieces; a terminal has each line at once.
  const std::size_t piece = tools::stdout_is_terminal() ? 1 : 64 * 1024;
  fmt::memory_buffer out;
  const auto write_out = [&] {
    print({out.data(), out.size()});
    out.clear();
  };
  Result<void> visited = visit(list, world, [&](mail::QueuedMessage&& message) {
    if (!all && !matches(list.filter, message, choice, now)) return true;
    if (header) out.append(mail::listing_header(message.id.size()));
    header = false;
    if (options.common.json) {
      append_json_line(out, message, choice);
      out.push_back('\n');
    } else {
      out.append(listing_lines(message, choice, now));
    }
    if (out.size() >= piece) write_out();
    return std::ferror(stdout) == 0;
  });
  write_out();
  return std::move(visited).map([] { return ExitStatus::ok; });
}

Result<ExitStatus> run_show(const Options& options, World& world) {
  if (options.show.raw && options.common.json) {
    return Error(Errc::usage, "--raw is the message alone, and --json what is known of it").with_hint("ask twice: one of them each time");
  }
  LONGLINE_TRY(const std::unique_ptr<mail::QueueBackend> queue, open_queue(world, false));
  LONGLINE_TRY(const mail::QueuedMessage message, queue->find(queue->canonical_id(options.show.id)));
  LONGLINE_TRY(mail::ConnectorChoice choice, choice_now(world));
  if (options.common.json) {
    print(json_line(message, choice) + "\n");
    return ExitStatus::ok;
  }
  if (!options.show.raw) print(describe(message, choice, sys::wall_now()) + "\n");
  return queue
      ->read(message.id,
             [](std::string_view piece) {
               // Byte for byte into a file or pipe; a terminal gets no control characters from a message.
               if (tools::stdout_is_terminal()) print(mail::printable_text(piece));
               else std::fwrite(piece.data(), 1, piece.size(), stdout);
               return std::ferror(stdout) == 0;
             })
      .map([] { return ExitStatus::ok; });
}

}  // namespace longline::mtaq
