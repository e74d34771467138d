// SPDX-License-Identifier: MIT
#include "mail/smtp_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/dsn_parameters.hpp"
#include "mail/smtp_command.hpp"
#include "mail/smtp_server_impl.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestClientCommand = 4096;

}  // namespace

void SmtpServer::Impl::reply(std::string_view text) {
  out += text;
  out += "\r\n";
}

void SmtpServer::Impl::refuse(std::string_view text) {
  reply(text);
  if (++errors < options.error_limit || phase == Phase::finished) return;
  reply("421 4.7.0 too many errors");
  finish(false, "too many errors");
}

void SmtpServer::Impl::flush() {
  if (!out.empty()) actions.emplace_back(Write{std::exchange(out, {})});
}

void SmtpServer::Impl::finish(bool quit, std::string reason) {
  if (phase == Phase::finished) return;
  flush();
  phase = Phase::finished;
  reset();
  actions.emplace_back(SmtpServerFinished{quit, std::move(reason), messages});
}

void SmtpServer::Impl::reset() {
  has_sender = false;
  envelope = {};
  prefix = 0;
  chunks_begun = false;
  chunk_error.clear();
}

void SmtpServer::Impl::take(std::string_view in, TimePoint now) {
  while (!in.empty()) {
    switch (phase) {
      case Phase::command: take_command_bytes(in, now); break;
      case Phase::data:
        last_progress = now;
        in.remove_prefix(dots.feed(in, envelope.content, prefix + options.size_limit));
        if (dots.ended()) received_whole(now);
        break;
      case Phase::chunk: take_chunk_bytes(in, now); break;
      case Phase::storing:
        held += in;
        in = {};
        break;
      case Phase::idle:
      case Phase::finished: in = {}; break;
    }
  }
  if (phase != Phase::finished) flush();
}

void SmtpServer::Impl::take_command_bytes(std::string_view& in, TimePoint now) {
  const std::size_t end = in.find('\n');
  const std::string_view piece = in.substr(0, end);
  in.remove_prefix(end == std::string_view::npos ? in.size() : end + 1);
  if (line.size() + piece.size() > kLongestClientCommand) line_too_long = true;
  if (!line_too_long) line += piece;
  if (end == std::string_view::npos) return;
  last_progress = now;
  const std::string complete = std::exchange(line, {});
  if (stopping && !iequals(trim(complete), "QUIT")) {
    reply("421 4.3.2 closing down");
    return finish(false, "told to stop");
  }
  if (std::exchange(line_too_long, false)) return refuse("500 5.5.2 line too long");
  command(std::string_view(complete).substr(0, complete.size() - (complete.ends_with('\r') ? 1 : 0)), now);
}

void SmtpServer::Impl::command(std::string_view text, TimePoint now) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7F; })) {
    return refuse("500 5.5.2 control character in the command");
  }
  const SmtpCommand cmd = split_command(text);
  const std::size_t errors_before = errors;
  if (cmd.verb == "EHLO") hello(cmd, true);
  else if (cmd.verb == "HELO") hello(cmd, false);
  else if (cmd.verb == "MAIL") mail(cmd.argument);
  else if (cmd.verb == "RCPT") recipient(cmd.argument);
  else if (cmd.verb == "DATA") data(cmd.argument, now);
  else if (cmd.verb == "BDAT") bdat(cmd.argument, now);
  else if (cmd.verb == "RSET") {
    reset();
    reply("250 2.0.0 Ok");
  } else if (cmd.verb == "NOOP") {
    reply("250 2.0.0 Ok");
  } else if (cmd.verb == "QUIT") {
    reply("221 2.0.0 Bye");
    return finish(true, "QUIT");
  } else if (cmd.verb == "VRFY") {
    reply("252 2.5.2 Send mail to find out");
  } else if (cmd.verb == "HELP") {
    reply("214 2.0.0 RFC 5321");
  } else if (cmd.verb == "GET" || cmd.verb == "POST" || cmd.verb == "CONNECT") {
    reply("421 4.7.0 this is a mail server");
    return finish(false, "an HTTP client");
  } else {
    refuse("500 5.5.1 command unknown");
  }
  if (errors == errors_before) errors = 0;
}

void SmtpServer::Impl::hello(const SmtpCommand& cmd, bool esmtp) {
  if (cmd.argument.empty()) return refuse("501 5.5.4 name expected");
  reset();
  helo = cmd.argument.substr(0, cmd.argument.find(' '));
  extended = esmtp;
  if (!esmtp) return reply("250 " + options.host);
  reply("250-" + options.host);
  for (const std::string_view extension : {"PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"}) {
    if (extension == "DSN" && !options.dsn) continue;
    reply(fmt::format("250-{}", extension));
  }
  reply(fmt::format("250 SIZE {}", options.size_limit));
}

void SmtpServer::Impl::mail(std::string_view argument) {
  if (helo.empty()) return refuse("503 5.5.1 EHLO first");
  if (has_sender) return refuse("503 5.5.1 sender already given");
  const auto path = parse_path(argument, "FROM");
  if (!path) return refuse("501 5.5.4 " + path.error().what);
  const auto sender = parse_reverse_path(path->path, options.host);
  if (!sender) return refuse("553 5.1.7 " + sender.error().what);
  Deliver next;
  bool has_size = false;
  for (const std::string& parameter : path->parameters) {
    const std::string lower = to_lower(parameter);
    const Result<bool> about_dsn = take_mail_parameter(parameter, next.dsn);
    if (!about_dsn) return refuse("501 5.5.4 " + about_dsn.error().what);
    if (*about_dsn) continue;
    if (lower.starts_with("size=")) {
      const auto size = parse_integer(std::string_view(lower).substr(5));
      if (!size || *size < 0) return refuse("501 5.5.4 SIZE is not a number");
      if (std::exchange(has_size, true)) return refuse("501 5.5.4 SIZE twice");
      if (static_cast<std::uint64_t>(*size) > options.size_limit) return refuse("552 5.3.4 message too large");
    } else if (lower == "body=8bitmime") {
      next.eight_bit = true;
    } else if (lower == "smtputf8") {
      next.smtputf8 = true;
    } else if (lower != "body=7bit") {
      return refuse("555 5.5.4 parameter not known");
    }
  }
  if (*sender && needs_smtputf8(to_string(**sender)) && !next.smtputf8) return refuse("553 5.6.7 the address needs SMTPUTF8");
  next.sender = *sender ? to_string(**sender) : "";
  envelope = std::move(next);
  has_sender = true;
  reply("250 2.1.0 Ok");
}

void SmtpServer::Impl::recipient(std::string_view argument) {
  if (!has_sender) return refuse("503 5.5.1 MAIL first");
  if (chunks_begun) return refuse("503 5.5.1 BDAT or RSET expected");
  const auto path = parse_path(argument, "TO");
  if (!path) return refuse("501 5.5.4 " + path.error().what);
  DsnWish wish;
  for (const std::string& parameter : path->parameters) {
    const Result<bool> about_dsn = take_recipient_parameter(parameter, wish);
    if (!about_dsn) return refuse("501 5.5.4 " + about_dsn.error().what);
    if (!*about_dsn) return refuse("555 5.5.4 parameter not known");
  }
  const bool postmaster = iequals(path->path, "<postmaster>");
  const auto address = parse_address(path->path, postmaster ? std::string_view(options.host) : std::string_view());
  if (!address) return refuse("501 5.1.3 " + address.error().what);
  const auto among = [&](const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return match_domain(p, address->domain).has_value(); });
  };
  const bool taken = postmaster || options.relays_all || among(options.local_domains) || among(options.relay_domains);
  if (!taken) return refuse(fmt::format("550 5.7.1 {} is not a domain of this host", escape(address->domain)));
  std::string printed = to_string(*address);
  if (needs_smtputf8(printed) && !envelope.smtputf8) return refuse("553 5.6.7 the address needs SMTPUTF8");
  const bool known = std::find(envelope.recipients.begin(), envelope.recipients.end(), printed) != envelope.recipients.end();
  if (!known && envelope.recipients.size() >= options.recipient_limit) return refuse("452 4.5.3 too many recipients");
  if (!wish.empty()) envelope.dsn.recipients[printed] = std::move(wish);
  if (!known) envelope.recipients.push_back(std::move(printed));
  reply("250 2.1.5 Ok");
}

std::optional<TimePoint> SmtpServer::Impl::deadline() const {
  if (phase == Phase::idle || phase == Phase::finished || phase == Phase::storing) return std::nullopt;
  return std::min(last_progress + options.command_timeout, started + options.session_limit);
}

SmtpServer::SmtpServer(SmtpServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
SmtpServer::SmtpServer(SmtpServer&&) noexcept = default;
SmtpServer::~SmtpServer() = default;

void SmtpServer::start(TimePoint now) {
  impl_->phase = Impl::Phase::command;
  impl_->started = now;
  impl_->last_progress = now;
  impl_->reply(fmt::format("220 {} ESMTP", impl_->options.host));
  impl_->flush();
}

void SmtpServer::on_bytes(std::string_view in, TimePoint now) { impl_->take(in, now); }

void SmtpServer::on_closed(TimePoint) {
  if (impl_->phase == Impl::Phase::finished) return;
  const bool within = impl_->phase == Impl::Phase::data || impl_->phase == Impl::Phase::chunk;
  impl_->out.clear();
  impl_->finish(false, within ? "the connection ended in the middle of a message" : "the connection ended without QUIT");
}

void SmtpServer::on_time(TimePoint now) {
  const auto until = deadline();
  if (!until || now < *until) return;
  impl_->reply("421 4.4.2 time is up");
  impl_->finish(false, "the client was silent for too long");
}

void SmtpServer::accept(std::string_view id, TimePoint now) {
  if (impl_->phase != Impl::Phase::storing) return;
  ++impl_->messages;
  impl_->phase = Impl::Phase::command;
  impl_->last_progress = now;
  impl_->reply(id.empty() ? "250 2.0.0 Ok" : fmt::format("250 2.0.0 Ok {}", escape_at_most(id, 100)));
  impl_->take(std::exchange(impl_->held, {}), now);
}

void SmtpServer::refuse(const Error& error, TimePoint now) {
  if (impl_->phase != Impl::Phase::storing) return;
  impl_->phase = Impl::Phase::command;
  impl_->last_progress = now;
  if (error.code == Errc::disk_full) impl_->refuse("452 4.3.1 disk full");
  else if (error.code == Errc::refused) impl_->refuse("554 5.6.0 " + printable_at_most(error.what, 200));
  else impl_->refuse("451 4.3.0 the message could not be stored");
  impl_->take(std::exchange(impl_->held, {}), now);
}

void SmtpServer::stop(TimePoint now) {
  impl_->stopping = true;
  if (impl_->phase != Impl::Phase::command || !impl_->line.empty() || impl_->has_sender) return;
  impl_->last_progress = now;
  impl_->reply("421 4.3.2 closing down");
  impl_->finish(false, "told to stop");
}

std::optional<TimePoint> SmtpServer::deadline() const { return impl_->deadline(); }

std::optional<SmtpServerAction> SmtpServer::next_action() {
  return take_first(impl_->actions);
}

bool SmtpServer::waiting() const { return impl_->phase == Impl::Phase::storing; }

}  // namespace longline::mail
