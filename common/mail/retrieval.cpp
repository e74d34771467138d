// SPDX-License-Identifier: MIT
#include "mail/retrieval.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"

namespace longline::mail {
namespace {

using By = config::Retrieve::By;

std::string_view verb_of(By by) { return by == By::etrn ? "ETRN" : by == By::atrn ? "ATRN" : "TURN"; }

/// What a refusal means. 530, 535 and the like are about the login; 459 is about this very client.
Errc code_of(const SmtpReply& reply) {
  if (reply.code == 530 || reply.code == 534 || reply.code == 535 || reply.code == 538 || reply.code == 459) return Errc::auth_refused;
  return reply.permanent() ? Errc::refused : Errc::busy;
}

}  // namespace

Retrieval::Retrieval(RetrievalOptions options) : options_(std::move(options)), opening_(options_.opening) {}

Retrieval::Retrieval(RetrievalOptions options, SmtpPeer peer, SmtpReplyParser parser) : Retrieval(std::move(options)) {
  was_open_ = true;
  peer_ = std::move(peer);
  parser_ = std::move(parser);
}

void Retrieval::start(TimePoint now) {
  if (was_open_) return opened(now);
  opening_.start(now);
  drain_opening(now);
}

void Retrieval::on_bytes(std::string_view in, TimePoint now) {
  switch (phase_) {
    case Phase::opening:
      opening_.on_bytes(in, now);
      return drain_opening(now);
    case Phase::asking:
      parser_.feed(in);
      return take_replies(now);
    case Phase::turned:
    case Phase::finished: return;
  }
}

void Retrieval::on_closed(TimePoint now) {
  if (phase_ == Phase::opening) {
    opening_.on_closed(now);
    return drain_opening(now);
  }
  if (phase_ == Phase::asking) fail(Error(Errc::line_dropped, fmt::format("the peer hung up behind {}", verb_of(options_.by)), Stage::transfer), false);
}

void Retrieval::on_time(TimePoint now) {
  if (phase_ == Phase::opening) {
    opening_.on_time(now);
    return drain_opening(now);
  }
  const auto until = deadline();
  if (until && now >= *until) fail(Error(Errc::next_hop_unreachable, fmt::format("no reply to {}", verb_of(options_.by)), Stage::transfer), false);
}

void Retrieval::on_secured(TimePoint now) {
  if (phase_ != Phase::opening) return;
  opening_.on_secured(now);
  drain_opening(now);
}

void Retrieval::on_tls_failed(const Error& why, TimePoint now) {
  if (phase_ != Phase::opening) return;
  opening_.on_tls_failed(why, now);
  drain_opening(now);
}

std::optional<TimePoint> Retrieval::deadline() const {
  if (phase_ == Phase::opening) return opening_.deadline();
  if (phase_ != Phase::asking) return std::nullopt;
  return asked_at_ + options_.opening.timeouts.command;
}

void Retrieval::drain_opening(TimePoint now) {
  while (phase_ == Phase::opening) {
    auto action = opening_.next_action();
    if (!action) return;
    if (auto* write = std::get_if<Write>(&*action)) {
      actions_.emplace_back(std::move(*write));
    } else if (std::holds_alternative<StartTls>(*action)) {
      actions_.emplace_back(StartTls{});
    } else if (auto* refused = std::get_if<SmtpNotOpened>(&*action)) {
      fail(std::move(refused->error), false);
    } else {
      parser_ = opening_.take_parser();
      peer_ = std::move(std::get<SmtpOpened>(*action).peer);
      opened(now);
    }
  }
}

void Retrieval::opened(TimePoint now) {
  phase_ = Phase::asking;
  // It would be taken for the answer.
  if (parser_.has_more()) return fail(Error(Errc::protocol, "the peer sent more before it was asked", Stage::transfer), false);
  const std::string_view verb = verb_of(options_.by);
  if (options_.by != By::etrn && !peer_.logged_in) {
    return fail(Error(Errc::auth_refused, fmt::format("{} is asked for only after a login, and there was none", verb), Stage::auth), true);
  }
  if (options_.by == By::turn && !peer_.secure) {
    return fail(Error(Errc::auth_refused, "TURN is asked for only over TLS", Stage::auth), true);
  }
  if (options_.by == By::etrn && (!peer_.etrn || options_.domains.empty())) {
    return fail(Error(Errc::refused, options_.domains.empty() ? "no domain to ask for" : "the peer does not offer ETRN", Stage::transfer), true);
  }
  ask(now);
  take_replies(now);
}

void Retrieval::ask(TimePoint now) {
  asked_at_ = now;
  std::string line(verb_of(options_.by));
  if (options_.by == By::etrn) {
    line += " " + options_.domains[next_domain_];
  } else if (options_.by == By::atrn) {
    for (std::size_t i = 0; i < options_.domains.size(); ++i) line += (i == 0 ? " " : ",") + options_.domains[i];
  }
  actions_.emplace_back(Write{line + "\r\n"});
}

void Retrieval::take_replies(TimePoint now) {
  while (phase_ == Phase::asking) {
    auto reply = parser_.next();
    if (!reply) return fail(std::move(reply).error(), false);
    if (!*reply) return;
    if ((*reply)->code == kServiceClosing) return fail(Error(Errc::busy, "the peer closes down: " + (*reply)->text(), Stage::transfer), false);
    if (options_.by == By::etrn) take_etrn(**reply, now);
    else take_turn(**reply);
  }
}

void Retrieval::take_etrn(const SmtpReply& reply, TimePoint now) {
  const std::string& domain = options_.domains[next_domain_];
  answers_.push_back({domain, reply.code, reply.text(), reply.ok() && reply.code != 251});
  if (!reply.ok() && !first_error_) {
    first_error_ = Error(code_of(reply), fmt::format("ETRN {}: {} {}", domain, reply.code, reply.text()), Stage::transfer);
  }
  if (++next_domain_ < options_.domains.size()) return ask(now);
  finish();
}

void Retrieval::take_turn(const SmtpReply& reply) {
  answers_.push_back({"", reply.code, reply.text(), reply.code == 250});
  if (reply.code == 250) {
    // Whoever waits for our greeting has nothing to say yet.
    const auto more = parser_.next();
    if (!more || *more || parser_.in_reply()) {
      return fail(Error(Errc::protocol, fmt::format("the peer went on talking behind its reply to {}", verb_of(options_.by)), Stage::transfer), false);
    }
    phase_ = Phase::turned;
    actions_.emplace_back(TurnRound{});
    return;
  }
  if (reply.code == 453) return finish();   // you have no mail
  fail(Error(code_of(reply), fmt::format("{}: {} {}", verb_of(options_.by), reply.code, reply.text()), Stage::transfer), true);
}

void Retrieval::fail(Error error, bool polite) {
  if (phase_ == Phase::finished) return;
  if (polite) actions_.emplace_back(Write{"QUIT\r\n"});
  phase_ = Phase::finished;
  actions_.emplace_back(RetrievalFinished{std::move(error), answers_});
}

void Retrieval::finish() {
  if (!options_.keep_open) actions_.emplace_back(Write{"QUIT\r\n"});
  phase_ = Phase::finished;
  actions_.emplace_back(RetrievalFinished{first_error_, answers_, options_.keep_open});
}

}  // namespace longline::mail
