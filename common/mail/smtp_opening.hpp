// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "mail/smtp_auth.hpp"
#include "mail/smtp_peer.hpp"
#include "mail/smtp_reply.hpp"

namespace longline::mail {

/// RFC 5321, 4.5.3.2, as minimums of what a peer is given.
struct SmtpTimeouts {
  Duration greeting = std::chrono::minutes(5);
  Duration command = std::chrono::minutes(5);     ///< EHLO, STARTTLS, the TLS handshake, AUTH, MAIL, RCPT, RSET
  Duration data = std::chrono::minutes(2);        ///< DATA to 354
  Duration block = std::chrono::minutes(3);       ///< one write of the body
  Duration end_of_data = std::chrono::minutes(10);
  /// On top of these: the time that unanswered bytes (at most 256 KiB) take at this rate, in bytes a second.
  std::int64_t slowest_rate = 240;
};

enum class StartTlsUse { never, if_offered, required };

struct SmtpOpeningOptions {
  std::string helo;                       ///< our name
  std::string peer_name;                  ///< the name the peer must give in banner and EHLO; "" any
  std::size_t skip_before_greeting = 0;   ///< bytes of junk before 220; 0 except on stream links
  StartTlsUse starttls = StartTlsUse::never;
  bool encrypted = false;                 ///< the line is from the start (implicit TLS)
  std::optional<SmtpLogin> login{};       ///< absent: no AUTH
  SmtpTimeouts timeouts{};
};

/// Put TLS on the line, then call on_secured(), or on_tls_failed(). Nothing that arrived before belongs to it.
struct StartTls {};

/// The peer waits for the first command. take_parser() has what arrived already.
struct SmtpOpened {
  SmtpPeer peer;
  Duration round_trip{};                  ///< from EHLO to its reply
};

/// The session cannot begin. A QUIT, where one was due, is in a Write before this.
struct SmtpNotOpened {
  Error error;
  bool tls_failed = false;                ///< STARTTLS was agreed upon, and the handshake failed
};

using SmtpOpeningAction = std::variant<Write, StartTls, SmtpOpened, SmtpNotOpened>;

/// The start of a session with a server, up to the first command that does something: greeting (after junk of a login dialogue),
/// EHLO or HELO, STARTTLS and EHLO again (RFC 3207), AUTH (RFC 4954). Machine without I/O. Names are checked in greeting and every EHLO
/// reply; what was announced before TLS is forgotten. Bytes behind the 220 to STARTTLS are an injection and end it. The errors
/// hold the peer's words, escaped, with the password masked. Errc: auth_refused (login refused, or the wrong name), protocol, busy,
/// next_hop_unreachable, line_dropped.
class SmtpOpening {
 public:
  explicit SmtpOpening(SmtpOpeningOptions options);

  void start(TimePoint now);
  void on_bytes(std::string_view in, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  void on_secured(TimePoint now);
  void on_tls_failed(const Error& why, TimePoint now);

  std::optional<TimePoint> deadline() const;
  std::optional<SmtpOpeningAction> next_action() { return take_first(actions_); }

  bool finished() const { return phase_ == Phase::finished; }
  /// From EHLO on.
  int round_trips() const { return round_trips_; }
  /// After SmtpOpened: the replies go on from here.
  SmtpReplyParser take_parser() { return std::move(parser_); }

 private:
  enum class Phase { idle, greeting, ehlo, helo, starttls, handshake, auth, finished };

  void take_reply(const SmtpReply& reply, TimePoint now);
  void take_greeting(const SmtpReply& reply, TimePoint now);
  void take_ehlo(const SmtpReply& reply, TimePoint now);
  void take_helo(const SmtpReply& reply, TimePoint now);
  void take_starttls(const SmtpReply& reply, TimePoint now);
  void take_auth(const SmtpReply& reply, TimePoint now);
  bool is_expected_peer(std::string_view name, std::string_view where);
  void say_ehlo(TimePoint now);
  void after_hello(TimePoint now);
  void log_in(TimePoint now);
  void refuse_login(const SmtpReply& reply);
  void write(Write what);
  void open();
  /// `polite`: QUIT first.
  void fail(Error error, bool polite, bool tls_failed = false);
  Error reply_error(std::string_view to_what, const SmtpReply& reply) const;
  std::string words(const SmtpReply& reply) const;

  SmtpOpeningOptions options_;
  SmtpReplyParser parser_;
  SmtpPeer peer_;
  Phase phase_ = Phase::idle;
  std::deque<SmtpOpeningAction> actions_;
  std::optional<AuthExchange> exchange_;
  std::vector<AuthMechanism> tried_;
  std::vector<Secret> secrets_;
  TimePoint last_progress_{};
  TimePoint asked_at_{};
  std::optional<Duration> round_trip_;
  int round_trips_ = 0;
  std::optional<Error> cancelled_;   ///< why we sent "*"
};

}  // namespace longline::mail
