// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mail/message.hpp"
#include "mail/smtp_server_impl.hpp"

namespace longline::mail {
namespace {

/// Printable ASCII without what would end a comment or a line.
std::string safe_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7F && std::string_view("()<>\\\"").find(c) == std::string_view::npos;
  });
  return good ? std::string(name) : "unknown";
}

}  // namespace

/// Our fields on top; the message follows.
void SmtpServer::Impl::begin_content(TimePoint now) {
  const WallTime wall = options.wall_at_start + (now - started);
  const std::string_view protocol = envelope.smtputf8 ? "UTF8SMTP" : extended ? "ESMTP" : "SMTP";
  const std::string from = options.peer.empty() ? safe_name(helo) : fmt::format("{} ([{}])", safe_name(helo), safe_name(options.peer));
  envelope.content = fmt::format("Received: from {} by {} with {}; {}\r\n", from, options.host, protocol, format_rfc5322(wall));
  prefix = envelope.content.size();
}

void SmtpServer::Impl::data(std::string_view argument, TimePoint now) {
  if (!argument.empty()) return refuse("501 5.5.4 DATA takes no argument");
  if (!has_sender) return refuse("503 5.5.1 MAIL first");
  if (chunks_begun) return refuse("503 5.5.1 BDAT or RSET expected");
  if (envelope.recipients.empty()) return refuse("554 5.5.1 no valid recipients");
  begin_content(now);
  dots = {};
  phase = Phase::data;
  reply("354 Go ahead");
}

void SmtpServer::Impl::bdat(std::string_view argument, TimePoint now) {
  const auto chunk = parse_bdat(argument);
  if (!chunk) {  // nobody knows where the next command starts
    reply("501 5.5.4 " + chunk.error().what);
    return finish(false, "BDAT without a size");
  }
  if (!chunk_error.empty()) chunk_error = "503 5.5.1 RSET expected";
  else if (!has_sender) chunk_error = "503 5.5.1 MAIL first";
  else if (envelope.recipients.empty()) chunk_error = "503 5.5.1 no valid recipients";
  else if (chunk->size > options.size_limit) chunk_error = "552 5.3.4 message too large";
  if (!chunks_begun && chunk_error.empty()) begin_content(now);
  chunks_begun = true;
  chunk_left = chunk->size;
  chunk_last = chunk->last;
  phase = Phase::chunk;
  if (chunk_left == 0) end_of_chunk(now);
}

void SmtpServer::Impl::take_chunk_bytes(std::string_view& in, TimePoint now) {
  last_progress = now;
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), chunk_left));
  if (chunk_error.empty() && envelope.content.size() + taken > prefix + options.size_limit) chunk_error = "552 5.3.4 message too large";
  if (chunk_error.empty()) envelope.content += in.substr(0, taken);
  else envelope.content.clear();
  in.remove_prefix(taken);
  chunk_left -= taken;
  if (chunk_left == 0) end_of_chunk(now);
}

void SmtpServer::Impl::end_of_chunk(TimePoint now) {
  phase = Phase::command;
  if (!chunk_error.empty()) {
    // A failed chunk fails the transaction until RSET; without a transaction there is nothing to fail.
    refuse(chunk_error);
    if (!has_sender) reset();
    return;
  }
  if (!chunk_last) return reply("250 2.0.0 Ok");
  if (envelope.content.size() > prefix && !envelope.content.ends_with("\r\n")) envelope.content += "\r\n";
  received_whole(now);
}

void SmtpServer::Impl::received_whole(TimePoint) {
  const bool by_dots = phase == Phase::data;
  phase = Phase::command;
  std::string_view error;
  const StrayLineEnds stray = by_dots ? StrayLineEnds{dots.bare_cr(), dots.bare_lf()} : stray_line_ends(std::string_view(envelope.content).substr(prefix));
  if (by_dots && dots.too_large()) error = "552 5.3.4 message too large";
  else if (stray.lf) error = "550 5.5.2 bare LF in the message, lines must end in CRLF";
  else if (stray.cr) error = "550 5.5.2 bare CR in the message, lines must end in CRLF";
  else if (count_header_fields(envelope.content, "Received") > options.hop_limit) error = "554 5.4.6 too many hops, mail loop";
  if (!error.empty()) {
    refuse(error);
    return reset();
  }
  flush();
  phase = Phase::storing;
  envelope.helo = helo;
  envelope.added = prefix;
  const auto high = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (std::any_of(envelope.content.begin(), envelope.content.end(), high)) envelope.eight_bit = true;
  actions.emplace_back(std::exchange(envelope, {}));
  reset();
}

}  // namespace longline::mail
