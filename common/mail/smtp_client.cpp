// SPDX-License-Identifier: MIT
#include "mail/smtp_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/smtp_client_impl.hpp"

namespace longline::mail {
namespace {

constexpr std::uint64_t kMostSlackBytes = 256 * 1024;
constexpr Duration kConfirmation(15'000);   // for the reply to RSET, which takes a peer no time

}  // namespace

void SmtpClient::Impl::take_replies(TimePoint now) {
  while (phase == Phase::running) {
    auto next = parser.next();
    if (!next) return end(std::move(next).error().in_stage(Stage::transfer));
    if (!*next) return;
    last_progress = now;
    take_reply(std::move(**next), now);
    pump(now);  // after each reply, so that it does not matter in which pieces they came
  }
}

void SmtpClient::Impl::count_round_trip(std::uint64_t answered) {
  answered_up_to = answered;
  if (answered <= round_trip_mark) return;
  ++traffic.round_trips;
  round_trip_mark = traffic.bytes_out;
}

void SmtpClient::Impl::pass_on_opening(TimePoint now) {
  while (auto action = opening.next_action()) {
    if (auto* write = std::get_if<Write>(&*action)) {
      traffic.bytes_out += write->bytes.size();
      free -= std::min(free, write->bytes.size());
      actions.emplace_back(std::move(*write));
    } else if (std::holds_alternative<StartTls>(*action)) {
      actions.emplace_back(StartTls{});
    } else if (auto* opened = std::get_if<SmtpOpened>(&*action)) {
      begin_session(std::move(*opened), now);
    } else {
      auto& failed = std::get<SmtpNotOpened>(*action);
      lessons.tls_failed = failed.tls_failed;
      end(std::move(failed.error));
    }
  }
}

void SmtpClient::Impl::begin_session(SmtpOpened&& opened, TimePoint now) {
  peer = std::move(opened.peer);
  round_trip = opened.round_trip;
  parser = opening.take_parser();
  if (parser.has_more()) return end(Error(Errc::protocol, "the peer sent more behind its last reply before MAIL", Stage::connect));
  traffic.round_trips = opening.round_trips();
  answered_up_to = round_trip_mark = traffic.bytes_out;
  use_chunking = peer.chunking && options.chunking;
  last_progress = now;
  phase = Phase::running;
  pump(now);
}

void SmtpClient::Impl::take_reply(SmtpReply reply, TimePoint now) {
  if (expected.empty()) return take_unexpected(reply);
  if (!fits(reply, expected.front().what)) return end_out_of_step(reply);
  const Expect expect = std::move(expected.front());
  expected.pop_front();
  count_round_trip(expect.sent_up_to);
  heard = true;
  for (MessageResult& result : std::exchange(verdicts, {})) give(std::move(result));
  if (expect.what == Expected::noop) {
    if (reply.code == kServiceClosing) end(Error(Errc::busy, "the peer closes the connection: 421 " + reply.text(), Stage::transfer));
    return;
  }
  Transaction& transaction = *expect.transaction;
  --transaction.pending;
  const bool closing = reply.code == kServiceClosing;
  understood = understood || reply.ok();
  const bool not_implemented = reply.code == 500 || reply.code == 502;
  const std::string text = closing ? reply.text() : "";
  switch (expect.what) {
    case Expected::noop: break;
    case Expected::rset: transaction.rset_reply = std::move(reply); break;
    case Expected::mail: transaction.mail_reply = std::move(reply); break;
    case Expected::recipient: transaction.recipient_replies[expect.recipient] = std::move(reply); break;
    case Expected::data:
      // A body would be taken for commands. No refusal either: it says nothing about the message.
      if (reply.ok()) return end(Error(Errc::protocol, fmt::format("the peer answered DATA with {} {}", reply.code, reply.text()), Stage::transfer));
      take_data_reply(transaction, std::move(reply));
      break;
    case Expected::chunk:
      if (!transaction.data_reply && (expect.last_chunk || !reply.ok())) transaction.data_reply = std::move(reply);
      break;
    case Expected::end_of_data:
      if (!transaction.data_reply) transaction.data_reply = std::move(reply);
      break;
    case Expected::rset_behind:
      if (reply.ok() || closing) break;
      // RSET is not refused: this is the reply to the message, and what was taken for that is another one.
      // Where each command waits for its reply, the next session will see which it was.
      if (transaction.is_sent()) {
        lessons.pipelining_failed = lessons.said_so = true;
        return end_out_of_step(reply);
      }
      transaction.has_rset_behind = false;
      break;
  }
  if (closing) return end(Error(Errc::busy, "the peer closes the connection: 421 " + text, Stage::transfer));
  if (expect.what == Expected::chunk && not_implemented && transaction.accepted() > 0) return end_without_chunking();
  if (expect.transaction != current && transaction.pending == 0) complete(expect.transaction, now);
}

void SmtpClient::Impl::take_data_reply(Transaction& transaction, SmtpReply reply) {
  if (reply.code == 354) {
    transaction.step = transaction.accepted() > 0 ? Transaction::Step::body : Transaction::Step::end;
    return;
  }
  transaction.data_reply = std::move(reply);
}

/// BDAT is unknown after all: what it carried was read as commands, and nothing that is answered from here on makes sense.
void SmtpClient::Impl::end_without_chunking() {
  lessons.chunking_failed = lessons.said_so = true;
  end(Error(Errc::protocol, "the peer announces CHUNKING and does not know BDAT", Stage::transfer));
}

/// All that is left is the reply to the RSET behind the last message: a peer that loses what it is sent behind one has taken that all the same.
bool SmtpClient::Impl::only_lacks_confirmation() {
  if (expected.size() != 1 || expected.front().what != Expected::rset_behind || !expected.front().transaction->is_sent()) return false;
  lessons.pipelining_failed = true;
  return waiting.empty() && under_way.size() == 1;
}

/// Whether it can be the reply to that at all.
bool SmtpClient::Impl::fits(const SmtpReply& reply, Expected what) const {
  if (reply.code < 400 && reply.code / 10 != 25) return what == Expected::data;
  return !reply.ok() || reply.lines.size() == 1 || reply.lines != peer.ehlo_reply;
}

/// One reply too many is enough, and a message that was refused has another's "250". What is under way is in doubt.
void SmtpClient::Impl::end_out_of_step(const SmtpReply& reply) {
  out_of_step = true;
  end(Error(Errc::protocol, fmt::format("the peer's replies do not fit the commands: '{} {}' came out of turn", reply.code, reply.text()), Stage::transfer));
}

/// A reply though nothing was asked: 421 when the peer gives up, or a refusal in the middle of DATA.
void SmtpClient::Impl::take_unexpected(const SmtpReply& reply) {
  if (reply.code == kServiceClosing) return end(Error(Errc::busy, "the peer closes the connection: 421 " + reply.text(), Stage::transfer));
  if (current && current->body_started && !use_chunking && !reply.ok()) current->data_reply = reply;
  end(Error(Errc::protocol, fmt::format("the peer sent '{} {}' though nothing was asked", reply.code, reply.text()), Stage::transfer));
}

std::optional<TimePoint> SmtpClient::Impl::deadline() const {
  if (phase == Phase::opening) return opening.deadline();
  if (phase != Phase::running) return std::nullopt;
  Duration patience = options.timeouts.command;
  if (!expected.empty()) {
    switch (expected.front().what) {
      case Expected::data: patience = options.timeouts.data; break;
      case Expected::chunk:
      case Expected::end_of_data: patience = options.timeouts.end_of_data; break;
      case Expected::rset_behind: patience = std::min(patience, kConfirmation); break;
      default: break;
    }
  } else if (current) {
    patience = options.timeouts.block;
  }
  const std::uint64_t unanswered = std::min(traffic.bytes_out - answered_up_to, kMostSlackBytes);
  const std::int64_t rate = std::max<std::int64_t>(1, options.timeouts.slowest_rate);
  return last_progress + patience + Duration(static_cast<std::int64_t>(unanswered) * 1000 / rate);
}

SmtpClient::SmtpClient(SmtpClientOptions options, MessageSource& source) : impl_(std::make_unique<Impl>(std::move(options), source)) {}
SmtpClient::SmtpClient(SmtpClient&&) noexcept = default;
SmtpClient::~SmtpClient() = default;

void SmtpClient::start(TimePoint now) {
  impl_->phase = Impl::Phase::opening;
  impl_->last_progress = now;
  impl_->clock = now;
  impl_->opening.start(now);
}

void SmtpClient::on_bytes(std::string_view in, TimePoint now) {
  impl_->clock = now;
  if (impl_->phase == Impl::Phase::finished) return;
  impl_->traffic.bytes_in += in.size();
  // In small pieces, so that an endless stream of replies is noticed before it is stored.
  constexpr std::size_t kPiece = 4096;
  while (!in.empty() && impl_->phase != Impl::Phase::finished) {
    if (impl_->phase == Impl::Phase::opening) {
      impl_->opening.on_bytes(in.substr(0, kPiece), now);
      impl_->pass_on_opening(now);
    } else {
      impl_->parser.feed(in.substr(0, kPiece));
    }
    in.remove_prefix(std::min(in.size(), kPiece));
    impl_->take_replies(now);
  }
}

void SmtpClient::on_closed(TimePoint now) {
  impl_->hung_up = true;
  impl_->opening.on_closed(now);
  impl_->pass_on_opening(now);
  impl_->end(Error(Errc::line_dropped, "the connection ended in the middle of the session", Stage::transfer));
}

void SmtpClient::on_time(TimePoint now) {
  if (impl_->phase == Impl::Phase::opening) {
    impl_->opening.on_time(now);
    return impl_->pass_on_opening(now);
  }
  const auto until = deadline();
  if (!until || now < *until) return;
  if (impl_->only_lacks_confirmation()) return impl_->quit();
  const std::string silence = format_duration(std::chrono::duration_cast<std::chrono::seconds>(now - impl_->last_progress));
  impl_->end(Error(Errc::line_dropped, fmt::format("the peer has been silent for {}", silence), Stage::transfer));
}

void SmtpClient::on_secured(TimePoint now) {
  impl_->opening.on_secured(now);
  impl_->pass_on_opening(now);
}

void SmtpClient::on_tls_failed(const Error& why, TimePoint now) {
  impl_->opening.on_tls_failed(why, now);
  impl_->pass_on_opening(now);
}

void SmtpClient::on_writable(std::size_t free, TimePoint now) {
  if (impl_->phase == Impl::Phase::finished) return;
  if (free > impl_->free) impl_->last_progress = now;
  impl_->free = free;
  impl_->pump(now);
}

void SmtpClient::stop(TimePoint now) {
  impl_->stopping = true;
  impl_->pump(now);
}

void SmtpClient::on_recorded() {
  const auto is_result = [](const SmtpClientAction& action) { return std::holds_alternative<MessageResult>(action); };
  impl_->unrecorded = std::any_of(impl_->actions.begin(), impl_->actions.end(), is_result);
  impl_->pump(impl_->clock);
}

SmtpReplyParser SmtpClient::take_parser() { return std::move(impl_->parser); }

std::optional<TimePoint> SmtpClient::deadline() const { return impl_->deadline(); }

std::optional<SmtpClientAction> SmtpClient::next_action() {
  return take_first(impl_->actions);
}

const SmtpPeer& SmtpClient::peer() const { return impl_->peer; }
SmtpTraffic SmtpClient::traffic() const { return impl_->traffic; }

SmtpClient::Answered SmtpClient::answered() const { return {impl_->answered_up_to, static_cast<std::int64_t>(impl_->line_rate)}; }

std::size_t SmtpClient::in_flight() const { return impl_->in_flight(); }

}  // namespace longline::mail
