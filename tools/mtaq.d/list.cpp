// SPDX-License-Identifier: MIT
#include <cstdio>

#include "base/text.hpp"
#include "mail/queue_listing.hpp"
#include "sys/spool.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

Result<ExitStatus> run_list(const Options& options, World& world) {
  const ListOptions& list = options.list;
  LONGLINE_CHECK(check_link(world, list.filter.link));
  LONGLINE_CHECK(check_connector(world, list.filter.connector));
  const sys::Box box = list.inbox ? sys::Box::inbox : sys::Box::queue;
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world.paths.spool));
  mail::ConnectorChoice choice(world.config);
  const WallTime now = sys::wall_now();
  bool header = !options.common.json;
  return spool
      .visit(box,
             [&](mail::QueuedMessage&& message) {
               if (!matches(list.filter, message, choice, now)) return true;
               if (header) print(mail::listing_header());
               header = false;
               print(options.common.json ? to_json(message, choice).dump() + "\n"
                                         : listing_lines(message, choice, now));
               return std::ferror(stdout) == 0;
             })
      .map([] { return ExitStatus::ok; });
}

Result<ExitStatus> run_show(const Options& options, World& world) {
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world.paths.spool));
  LONGLINE_TRY(const mail::QueuedMessage message, spool.find(to_lower(options.show.id)));
  mail::ConnectorChoice choice(world.config);
  if (options.common.json) {
    print(to_json(message, choice).dump() + "\n");
    return ExitStatus::ok;
  }
  if (!options.show.raw) print(describe(message, choice, sys::wall_now()) + "\n");
  LONGLINE_TRY(sys::SpoolBody body, spool.open_body(message.id));
  constexpr std::size_t kPiece = 1 << 20;
  for (std::int64_t offset = 0; offset < body.size();) {
    LONGLINE_TRY(const std::string piece, body.read(offset, kPiece));
    // Byte for byte into a file or pipe; a terminal gets no control characters from a message.
    offset += static_cast<std::int64_t>(piece.size());
    print(tools::stdout_is_terminal() ? mail::printable_text(piece) : piece);
    if (std::ferror(stdout) != 0) break;
  }
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
