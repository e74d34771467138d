// SPDX-License-Identifier: MIT
#include "mail/smtp_opening.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr int kReady = 220;
constexpr int kGreeted = 250;
constexpr int kLoggedIn = 235;
constexpr int kGoOn = 334;

/// The mechanism is refused, not the user: another one may do (RFC 4954, 6).
bool refuses_mechanism(int code) { return code == 504 || code == 534 || code == 538; }

}  // namespace

SmtpOpening::SmtpOpening(SmtpOpeningOptions options) : options_(std::move(options)), parser_(options_.skip_before_greeting) {
  if (options_.login) secrets_ = login_secrets(*options_.login);
}

void SmtpOpening::start(TimePoint now) {
  phase_ = Phase::greeting;
  last_progress_ = now;
  peer_.secure = options_.encrypted;
}

void SmtpOpening::on_bytes(std::string_view in, TimePoint now) {
  if (phase_ == Phase::handshake) return fail(Error(Errc::protocol, "the peer sent more behind its reply to STARTTLS", Stage::connect), false);
  if (phase_ == Phase::finished) return;
  parser_.feed(in);
  while (phase_ != Phase::finished && phase_ != Phase::handshake) {
    auto next = parser_.next();
    if (!next) return fail(std::move(next).error().in_stage(Stage::connect), false);
    if (!*next) return;
    last_progress_ = now;
    take_reply(**next, now);
  }
}

void SmtpOpening::take_reply(const SmtpReply& reply, TimePoint now) {
  switch (phase_) {
    case Phase::greeting: return take_greeting(reply, now);
    case Phase::ehlo: return take_ehlo(reply, now);
    case Phase::helo: return take_helo(reply, now);
    case Phase::starttls: return take_starttls(reply, now);
    case Phase::auth: return take_auth(reply, now);
    case Phase::idle:
    case Phase::handshake:
    case Phase::finished: return;
  }
}

std::string SmtpOpening::words(const SmtpReply& reply) const {
  SmtpReply masked = reply;
  for (std::string& line : masked.lines) line = mask(line, secrets_);
  const std::string enhanced = reply.enhanced.empty() ? "" : reply.enhanced + " ";
  return fmt::format("{} {}{}", reply.code, enhanced, masked.text());
}

Error SmtpOpening::reply_error(std::string_view to_what, const SmtpReply& reply) const {
  const Errc code = reply.permanent() ? Errc::next_hop_unreachable : Errc::busy;
  return Error(code, fmt::format("the peer answers {} with {}", to_what, words(reply)), Stage::connect);
}

bool SmtpOpening::is_expected_peer(std::string_view name, std::string_view where) {
  if (options_.peer_name.empty() || iequals(name, options_.peer_name)) return true;
  Error error(Errc::auth_refused,
              fmt::format("the peer calls itself '{}' in its {}, expected '{}'", escape_at_most(name, 100), where, options_.peer_name),
              Stage::auth);
  fail(std::move(error).with_hint("set peer-name to the name that the peer gives, or mend the peer's name"), true);
  return false;
}

void SmtpOpening::take_greeting(const SmtpReply& reply, TimePoint now) {
  if (reply.code != kReady) return fail(reply_error("the connection", reply), reply.code != kServiceClosing);
  peer_.banner_name = first_word(reply.lines.front());
  if (is_expected_peer(peer_.banner_name, "greeting")) say_ehlo(now);
}

void SmtpOpening::say_ehlo(TimePoint now) {
  phase_ = Phase::ehlo;
  asked_at_ = now;
  write({fmt::format("EHLO {}\r\n", options_.helo)});
}

void SmtpOpening::take_ehlo(const SmtpReply& reply, TimePoint now) {
  if (!reply.ok()) {
    if (!reply.permanent()) return fail(reply_error("EHLO " + options_.helo, reply), reply.code != kServiceClosing);
    phase_ = Phase::helo;
    return write({fmt::format("HELO {}\r\n", options_.helo)});
  }
  if (reply.code != kGreeted) return fail(Error(Errc::protocol, "the peer answers EHLO with " + words(reply), Stage::connect), false);
  peer_.ehlo_reply = reply.lines;
  round_trip_ = std::min(round_trip_.value_or(now - asked_at_), now - asked_at_);
  peer_.ehlo_name = first_word(reply.lines.front());
  if (!is_expected_peer(peer_.ehlo_name, "EHLO reply")) return;
  peer_.esmtp = true;
  for (std::size_t i = 1; i < reply.lines.size(); ++i) learn_extension(peer_, reply.lines[i]);
  after_hello(now);
}

void SmtpOpening::take_helo(const SmtpReply& reply, TimePoint now) {
  if (reply.code != kGreeted) return fail(reply_error("HELO " + options_.helo, reply), reply.code != kServiceClosing);
  peer_.ehlo_name = first_word(reply.lines.front());
  if (is_expected_peer(peer_.ehlo_name, "HELO reply")) after_hello(now);
}

void SmtpOpening::after_hello(TimePoint now) {
  if (peer_.secure || options_.starttls == StartTlsUse::never) return log_in(now);
  if (peer_.starttls) {
    phase_ = Phase::starttls;
    return write({"STARTTLS\r\n"});
  }
  if (options_.starttls == StartTlsUse::required) {
    return fail(Error(Errc::protocol, "the peer offers no TLS (no STARTTLS in its EHLO reply), which the connector requires", Stage::connect), true);
  }
  log_in(now);
}

void SmtpOpening::take_starttls(const SmtpReply& reply, TimePoint now) {
  if (reply.code == kReady) {
    if (parser_.has_more()) return fail(Error(Errc::protocol, "the peer sent more behind its reply to STARTTLS", Stage::connect), false);
    phase_ = Phase::handshake;
    actions_.emplace_back(StartTls{});
    return;
  }
  if (reply.code == kServiceClosing) return fail(reply_error("STARTTLS", reply), false);
  if (options_.starttls == StartTlsUse::required) return fail(reply_error("STARTTLS (TLS is required)", reply), true);
  log_in(now);
}

void SmtpOpening::on_secured(TimePoint now) {
  if (phase_ != Phase::handshake) return;
  last_progress_ = now;
  ++round_trips_;
  SmtpPeer fresh;
  fresh.banner_name = std::move(peer_.banner_name);
  fresh.secure = true;
  peer_ = std::move(fresh);
  parser_ = SmtpReplyParser();
  say_ehlo(now);
}

void SmtpOpening::on_tls_failed(const Error& why, TimePoint) {
  if (phase_ != Phase::finished) fail(why, false, phase_ == Phase::handshake);
}

void SmtpOpening::log_in(TimePoint now) {
  if (!options_.login) return open();
  const SmtpLogin& login = *options_.login;
  const auto mechanism = strongest_mechanism(peer_.auth, login, peer_.secure, tried_);
  if (mechanism) {
    phase_ = Phase::auth;
    exchange_.emplace(*mechanism, login);
    last_progress_ = now;
    return write(exchange_->first());
  }
  SmtpLogin open_login = login;
  open_login.allow_clear = true;
  std::string what = fmt::format("authentication of user '{}' at {} is not possible: ", escape_at_most(login.user, 100),
                                 escape_at_most(peer_.ehlo_name, 100));
  if (peer_.auth.empty()) {
    return fail(Error(Errc::auth_refused, what + "the peer offers no AUTH", Stage::auth), true);
  }
  if (!peer_.secure && strongest_mechanism(peer_.auth, open_login, false, tried_)) {
    Error error(Errc::auth_refused, what + "the password would cross the line in clear text", Stage::auth);
    return fail(std::move(error).with_hint("set tls = \"required\", or allow-plain-auth = true where nobody can listen"), true);
  }
  std::string names;
  for (const std::string& name : peer_.auth) names += (names.empty() ? "" : ", ") + name;
  fail(Error(Errc::auth_refused, what + "the peer offers " + escape_at_most(names, 200) + "; we know CRAM-MD5, PLAIN and LOGIN", Stage::auth), true);
}

void SmtpOpening::take_auth(const SmtpReply& reply, TimePoint now) {
  if (cancelled_) return fail(std::move(*cancelled_), reply.code != kServiceClosing);
  if (reply.code == kGoOn) {
    Result<Write> answer = exchange_->answer(trim(reply.lines.front()));
    if (answer) return write(std::move(*answer));
    cancelled_ = std::move(answer).error();
    return write({"*\r\n"});
  }
  if (reply.code == kLoggedIn) {
    peer_.logged_in = true;
    return open();
  }
  if (refuses_mechanism(reply.code)) {
    tried_.push_back(exchange_->mechanism());
    if (strongest_mechanism(peer_.auth, *options_.login, peer_.secure, tried_)) return log_in(now);
  }
  refuse_login(reply);
}

void SmtpOpening::refuse_login(const SmtpReply& reply) {
  const std::string user = escape_at_most(options_.login->user, 100);
  const std::string peer = escape_at_most(peer_.ehlo_name, 100);
  const bool polite = reply.code != kServiceClosing;
  if (reply.temporary()) {
    return fail(Error(Errc::busy, fmt::format("authentication of user '{}' at {} is put off: {}", user, peer, words(reply)), Stage::auth), polite);
  }
  const Errc code = reply.permanent() ? Errc::auth_refused : Errc::protocol;
  fail(Error(code, fmt::format("authentication failed: {} refuses user '{}': {}", peer, user, words(reply)), Stage::auth), polite);
}

void SmtpOpening::write(Write what) {
  ++round_trips_;
  actions_.emplace_back(std::move(what));
}

void SmtpOpening::open() {
  phase_ = Phase::finished;
  actions_.emplace_back(SmtpOpened{peer_, round_trip_.value_or(Duration(0))});
}

void SmtpOpening::fail(Error error, bool polite, bool tls_failed) {
  if (phase_ == Phase::finished) return;
  phase_ = Phase::finished;
  error.what = mask(error.what, secrets_);
  if (polite) actions_.emplace_back(Write{"QUIT\r\n"});
  actions_.emplace_back(SmtpNotOpened{std::move(error), tls_failed});
}

std::optional<TimePoint> SmtpOpening::deadline() const {
  if (phase_ == Phase::idle || phase_ == Phase::finished) return std::nullopt;
  return last_progress_ + (phase_ == Phase::greeting ? options_.timeouts.greeting : options_.timeouts.command);
}

void SmtpOpening::on_closed(TimePoint) {
  if (phase_ == Phase::handshake) {
    return fail(Error(Errc::line_dropped, "the connection ended during the TLS handshake", Stage::connect), false, true);
  }
  fail(Error(Errc::line_dropped, "the connection ended before the session began", Stage::connect), false);
}

void SmtpOpening::on_time(TimePoint now) {
  const auto until = deadline();
  if (!until || now < *until) return;
  const std::string silence = format_duration(std::chrono::duration_cast<std::chrono::seconds>(now - last_progress_));
  fail(Error(Errc::line_dropped, fmt::format("the peer has been silent for {}", silence), Stage::connect), false);
}

}  // namespace longline::mail
