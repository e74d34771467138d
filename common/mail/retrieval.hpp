// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "mail/smtp_opening.hpp"

namespace longline::mail {

/// The peer's answer about one domain, or about all at once ("").
struct RetrievalAnswer {
  std::string domain;
  int code = 0;
  std::string text;        ///< escaped
  bool mail_comes = false; ///< 250, 252, 253; false with 251, 453: there is none
};

/// The peer is the client from now on: give the line to an SmtpServer, whose greeting is the next thing to be sent.
struct TurnRound {};

/// The session is over. A QUIT is in a Write before this; or (`open`) somebody else goes on with it.
struct RetrievalFinished {
  std::optional<Error> error{};
  std::vector<RetrievalAnswer> answers;
  bool open = false;
};

using RetrievalAction = std::variant<Write, StartTls, TurnRound, RetrievalFinished>;

struct RetrievalOptions {
  config::Retrieve::By by = config::Retrieve::By::etrn;
  std::vector<std::string> domains;
  SmtpOpeningOptions opening{};
  bool keep_open = false;   ///< no QUIT when the peer has answered: another retrieval follows
};

/// Asks a peer for the mail that it keeps for us: ETRN (RFC 1985) for each domain, ATRN (RFC 2645) for all of them, or TURN (RFC 821).
/// ATRN and TURN are asked only after a login, TURN only over TLS. Bytes behind the reply that turns the line round are refused: the
/// peer, now a client, waits for our greeting. Machine without I/O; the start is SmtpOpening's, or a session's that is open already.
/// Errc: those of the opening; auth_refused when the login is missing or not allowed to fetch, refused when the peer will not, busy when
/// not now, protocol.
class Retrieval {
 public:
  explicit Retrieval(RetrievalOptions options);
  /// In a session whose peer has answered everything.
  Retrieval(RetrievalOptions options, SmtpPeer peer, SmtpReplyParser parser);

  void start(TimePoint now);
  void on_bytes(std::string_view in, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  void on_secured(TimePoint now);
  void on_tls_failed(const Error& why, TimePoint now);

  std::optional<TimePoint> deadline() const;
  std::optional<RetrievalAction> next_action() { return take_first(actions_); }
  const std::vector<RetrievalAnswer>& answers() const { return answers_; }
  /// After RetrievalFinished with `open`: of the peer, and what goes on behind its last reply.
  const SmtpPeer& peer() const { return peer_; }
  SmtpReplyParser take_parser() { return std::move(parser_); }

 private:
  enum class Phase { opening, asking, turned, finished };

  void drain_opening(TimePoint now);
  void opened(TimePoint now);
  void ask(TimePoint now);
  void take_replies(TimePoint now);
  void take_etrn(const SmtpReply& reply, TimePoint now);
  void take_turn(const SmtpReply& reply);
  void fail(Error error, bool polite);
  void finish();

  RetrievalOptions options_;
  SmtpOpening opening_;
  SmtpPeer peer_;
  bool was_open_ = false;                 // when it began
  SmtpReplyParser parser_;
  Phase phase_ = Phase::opening;
  std::deque<RetrievalAction> actions_;
  std::vector<RetrievalAnswer> answers_;
  std::size_t next_domain_ = 0;
  std::optional<Error> first_error_;
  TimePoint asked_at_{};
};

}  // namespace longline::mail
