// SPDX-License-Identifier: MIT
#include "mail/smtp_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/smtp_client_impl.hpp"

namespace longline::mail {
namespace {

constexpr int kClosing = 421;
constexpr int kMostMessages = 1000;
constexpr std::int64_t kLeastWindowBytes = 16 * 1024;
constexpr std::int64_t kMostWindowBytes = 4 * 1024 * 1024;
constexpr std::uint64_t kMostSlackBytes = 256 * 1024;

std::string_view first_word(std::string_view text) { return text.substr(0, text.find_first_of(" \t")); }

void learn_extension(SmtpPeer& peer, std::string_view line) {
  const std::string keyword = to_lower(first_word(line));
  const std::string_view rest = trim(line.substr(keyword.size()));
  if (keyword == "pipelining") peer.pipelining = true;
  if (keyword == "chunking") peer.chunking = true;
  if (keyword == "8bitmime") peer.eight_bit_mime = true;
  if (keyword == "smtputf8") peer.smtputf8 = true;
  if (keyword == "dsn") peer.dsn = true;
  if (keyword == "starttls") peer.starttls = true;
  if (keyword == "size") {
    peer.size = true;
    peer.size_limit = static_cast<std::uint64_t>(std::max<std::int64_t>(0, parse_integer(first_word(rest)).value_or(0)));
  }
  if (keyword != "limits") return;
  for (const std::string_view limit : split(rest, ' ')) {
    const std::size_t equals = limit.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name = to_lower(limit.substr(0, equals));
    const auto value = parse_integer(limit.substr(equals + 1));
    if (!value || *value < 1 || *value > 1'000'000) continue;
    if (name == "rcptmax") peer.recipients_max = static_cast<std::size_t>(*value);
    if (name == "mailmax") peer.messages_max = static_cast<std::size_t>(*value);
  }
}

Error reply_error(std::string_view to_what, const SmtpReply& reply) {
  const Errc code = reply.permanent() ? Errc::next_hop_unreachable : Errc::busy;
  return Error(code, fmt::format("the peer answers {} with {} {}", to_what, reply.code, reply.text()), Stage::connect);
}

}  // namespace

void SmtpClient::Impl::take_replies(TimePoint now) {
  while (phase != Phase::finished) {
    auto next = parser.next();
    if (!next) return end(std::move(next).error().in_stage(phase == Phase::running ? Stage::transfer : Stage::connect));
    if (!*next) return;
    last_progress = now;
    SmtpReply& reply = **next;
    switch (phase) {
      case Phase::greeting: take_greeting(reply, now); break;
      case Phase::ehlo: take_ehlo(reply, now); break;
      case Phase::helo: take_helo(reply, now); break;
      case Phase::running: take_reply(std::move(reply), now); break;
      case Phase::idle:
      case Phase::finished: return;
    }
    pump(now);  // after each reply, so that it does not matter in which pieces they came
  }
}

void SmtpClient::Impl::count_round_trip(std::uint64_t answered) {
  answered_up_to = answered;
  if (answered <= round_trip_mark) return;
  ++traffic.round_trips;
  round_trip_mark = traffic.bytes_out;
}

bool SmtpClient::Impl::is_expected_peer(std::string_view name, std::string_view where) {
  if (options.peer_name.empty() || iequals(name, options.peer_name)) return true;
  Error error(Errc::auth_refused,
              fmt::format("the peer calls itself '{}' in its {}, expected '{}'", escape_at_most(name, 100), where, options.peer_name),
              Stage::auth);
  quit(std::move(error).with_hint("set peer-name to the name that the peer gives, or mend the peer's name"));
  return false;
}

void SmtpClient::Impl::take_greeting(const SmtpReply& reply, TimePoint now) {
  if (reply.code != 220) {
    const Error error = reply_error("the connection", reply);
    return reply.code == kClosing ? end(error) : quit(error);
  }
  peer.banner_name = first_word(reply.lines.front());
  if (!is_expected_peer(peer.banner_name, "greeting")) return;
  phase = Phase::ehlo;
  asked_at = now;
  put(fmt::format("EHLO {}\r\n", options.helo));
  flush();
}

void SmtpClient::Impl::take_ehlo(const SmtpReply& reply, TimePoint now) {
  count_round_trip(traffic.bytes_out);
  if (!reply.ok()) {
    if (!reply.permanent()) return reply.code == kClosing ? end(reply_error("EHLO", reply)) : quit(reply_error("EHLO", reply));
    phase = Phase::helo;
    put(fmt::format("HELO {}\r\n", options.helo));
    return flush();
  }
  round_trip = now - asked_at;
  peer.ehlo_name = first_word(reply.lines.front());
  if (!is_expected_peer(peer.ehlo_name, "EHLO reply")) return;
  peer.esmtp = true;
  for (std::size_t i = 1; i < reply.lines.size(); ++i) learn_extension(peer, reply.lines[i]);
  use_chunking = peer.chunking && options.chunking;
  phase = Phase::running;
}

void SmtpClient::Impl::take_helo(const SmtpReply& reply, TimePoint) {
  count_round_trip(traffic.bytes_out);
  if (!reply.ok()) return reply.code == kClosing ? end(reply_error("HELO", reply)) : quit(reply_error("HELO", reply));
  peer.ehlo_name = first_word(reply.lines.front());
  if (is_expected_peer(peer.ehlo_name, "HELO reply")) phase = Phase::running;
}

void SmtpClient::Impl::take_reply(SmtpReply reply, TimePoint now) {
  if (expected.empty()) return take_unexpected(reply);
  const Expect expect = std::move(expected.front());
  expected.pop_front();
  count_round_trip(expect.sent_up_to);
  Transaction& transaction = *expect.transaction;
  --transaction.pending;
  const bool closing = reply.code == kClosing;
  const std::string text = closing ? reply.text() : "";
  switch (expect.what) {
    case Expected::rset: transaction.rset_reply = std::move(reply); break;
    case Expected::mail: transaction.mail_reply = std::move(reply); break;
    case Expected::recipient: transaction.recipient_replies[expect.recipient] = std::move(reply); break;
    case Expected::data: take_data_reply(transaction, std::move(reply)); break;
    case Expected::chunk:
      if (!transaction.data_reply && (expect.last_chunk || !reply.ok())) transaction.data_reply = std::move(reply);
      break;
    case Expected::end_of_data:
      if (!transaction.data_reply) transaction.data_reply = std::move(reply);
      break;
  }
  if (closing) return end(Error(Errc::busy, "the peer closes the connection: 421 " + text, Stage::transfer));
  if (expect.transaction != current && transaction.pending == 0) complete(expect.transaction, now);
}

void SmtpClient::Impl::take_data_reply(Transaction& transaction, SmtpReply reply) {
  if (reply.code == 354) {
    transaction.step = transaction.accepted() > 0 ? Transaction::Step::body : Transaction::Step::end;
    return;
  }
  if (reply.ok()) reply.code = 503;  // "250" to DATA: a body would be taken for commands
  transaction.data_reply = std::move(reply);
}

/// A reply though nothing was asked: 421 when the peer gives up, or a refusal in the middle of DATA.
void SmtpClient::Impl::take_unexpected(const SmtpReply& reply) {
  if (reply.code == kClosing) return end(Error(Errc::busy, "the peer closes the connection: 421 " + reply.text(), Stage::transfer));
  if (current && current->body_started && !use_chunking && !reply.ok()) current->data_reply = reply;
  end(Error(Errc::protocol, fmt::format("the peer sent '{} {}' though nothing was asked", reply.code, reply.text()), Stage::transfer));
}

bool SmtpClient::Impl::retry_alone(const std::shared_ptr<Transaction>& transaction) {
  if (!transaction->is_out_of_step()) return false;
  careful = true;
  window.messages = 1;
  if (transaction->alone || transaction->is_sent()) return false;
  transaction->rewind();
  transaction->alone = true;
  waiting.push_front(transaction);
  return true;
}

/// Recipients that the peer did not want in this transaction (452 behind others that it took) get one of their own.
void SmtpClient::Impl::requeue_recipients(Transaction& transaction, std::vector<RecipientResult>& results) {
  if (!transaction.is_sent()) return;
  auto rest = std::make_shared<Transaction>();
  rest->message = transaction.message;
  rest->message.recipients.clear();
  std::erase_if(results, [&](const RecipientResult& r) {
    const bool too_many = r.outcome == Outcome::deferred && (r.code == 452 || r.code == 552);
    if (too_many) rest->message.recipients.push_back(r.address);
    return too_many;
  });
  if (rest->message.recipients.empty()) return;
  rest->seven_bit = transaction.seven_bit;
  waiting.push_front(std::move(rest));
}

void SmtpClient::Impl::complete(const std::shared_ptr<Transaction>& transaction, TimePoint now) {
  flush();  // a result never overtakes the mark of its message, even if the reply came too early
  std::erase(under_way, transaction);
  const bool sent = transaction->is_sent();
  const bool begun_there = transaction->mail_reply && (transaction->mail_reply->ok() || transaction->body_started);
  if (under_way.empty()) transaction_open = begun_there && !sent;
  if (retry_alone(transaction)) return;
  std::vector<RecipientResult> results = transaction_results(*transaction, "");
  requeue_recipients(*transaction, results);
  report(*transaction, std::move(results));
  if (sent) learn(*transaction, now);
}

void SmtpClient::Impl::report(const Transaction& transaction, std::vector<RecipientResult> results) {
  const auto same = [&](const auto& other) { return other.get() != &transaction && other->message.id == transaction.message.id; };
  const bool more = std::any_of(under_way.begin(), under_way.end(), same) || std::any_of(waiting.begin(), waiting.end(), same);
  actions.emplace_back(MessageResult{transaction.message.id, std::move(results), !more});
}

/// After a clean message the window grows; its bytes are twice what the line was seen to carry in a round trip.
void SmtpClient::Impl::learn(const Transaction& transaction, TimePoint now) {
  if (!careful) window.messages = std::min(window.messages + 1, kMostMessages);
  const Duration took = now - transaction.started;
  if (took.count() <= 0) return;
  const double rate = static_cast<double>(answered_up_to - transaction.answered_before) * 1000 / static_cast<double>(took.count());
  best_rate = std::max(best_rate, rate);
  ++samples;
  if (!round_trip) return;
  const double flight = 2 * best_rate * static_cast<double>(round_trip->count()) / 1000;
  const auto bytes = static_cast<std::int64_t>(std::min(flight, static_cast<double>(kMostWindowBytes)));
  window.bytes = std::max({window.bytes, bytes, kLeastWindowBytes});
}

void SmtpClient::Impl::end(std::optional<Error> error) {
  if (phase == Phase::finished) return;
  phase = Phase::finished;
  chunk.clear();
  const std::string lost = error ? error->what : "the session ended";
  for (; !under_way.empty(); under_way.pop_front()) {
    Transaction& transaction = *under_way.front();
    const bool never_left = std::any_of(last_bytes_in_chunk.begin(), last_bytes_in_chunk.end(),
                                        [&](const InFlight& f) { return f.id == transaction.message.id; });
    if (never_left) transaction.handed_over = false;
    report(transaction, transaction_results(transaction, lost));
  }
  for (; !waiting.empty(); waiting.pop_front()) {
    report(*waiting.front(), same_result(waiting.front()->message.recipients, Outcome::not_tried, "", lost));
  }
  expected.clear();
  current.reset();
  constexpr int kEnoughSamples = 4;
  if (samples >= kEnoughSamples && round_trip) {
    const double flight = 2 * best_rate * static_cast<double>(round_trip->count()) / 1000;
    window.bytes = std::clamp(static_cast<std::int64_t>(std::min(flight, 1e12)), kLeastWindowBytes, kMostWindowBytes);
  }
  actions.emplace_back(SmtpFinished{std::move(error), window, traffic});
}

void SmtpClient::Impl::quit(std::optional<Error> error) {
  chunk += "QUIT\r\n";
  traffic.bytes_out += chunk.size();
  flush();
  end(std::move(error));
}

std::optional<TimePoint> SmtpClient::Impl::deadline() const {
  if (phase == Phase::idle || phase == Phase::finished) return std::nullopt;
  Duration patience = options.timeouts.command;
  if (phase == Phase::greeting) {
    patience = options.timeouts.greeting;
  } else if (!expected.empty()) {
    switch (expected.front().what) {
      case Expected::data: patience = options.timeouts.data; break;
      case Expected::chunk:
      case Expected::end_of_data: patience = options.timeouts.end_of_data; break;
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
  impl_->phase = Impl::Phase::greeting;
  impl_->last_progress = now;
  impl_->clock = now;
}

void SmtpClient::on_bytes(std::string_view in, TimePoint now) {
  impl_->clock = now;
  if (impl_->phase == Impl::Phase::finished) return;
  impl_->traffic.bytes_in += in.size();
  // In small pieces, so that an endless stream of replies is noticed before it is stored.
  constexpr std::size_t kPiece = 4096;
  while (!in.empty() && impl_->phase != Impl::Phase::finished) {
    impl_->parser.feed(in.substr(0, kPiece));
    in.remove_prefix(std::min(in.size(), kPiece));
    impl_->take_replies(now);
  }
}

void SmtpClient::on_closed(TimePoint) {
  if (impl_->phase == Impl::Phase::finished) return;
  const bool running = impl_->phase == Impl::Phase::running;
  impl_->end(Error(Errc::line_dropped, running ? "the connection ended in the middle of the session" : "the connection ended before the session began",
                   running ? Stage::transfer : Stage::connect));
}

void SmtpClient::on_time(TimePoint now) {
  const auto until = deadline();
  if (!until || now < *until) return;
  const std::string silence = format_duration(std::chrono::duration_cast<std::chrono::seconds>(now - impl_->last_progress));
  const bool running = impl_->phase == Impl::Phase::running;
  impl_->end(Error(Errc::line_dropped, fmt::format("the peer has been silent for {}", silence), running ? Stage::transfer : Stage::connect));
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

std::optional<TimePoint> SmtpClient::deadline() const { return impl_->deadline(); }

std::optional<SmtpClientAction> SmtpClient::next_action() {
  return take_first(impl_->actions);
}

const SmtpPeer& SmtpClient::peer() const { return impl_->peer; }
SmtpTraffic SmtpClient::traffic() const { return impl_->traffic; }

std::size_t SmtpClient::in_flight() const {
  return static_cast<std::size_t>(std::count_if(impl_->under_way.begin(), impl_->under_way.end(),
                                                [](const auto& t) { return t->handed_over && !t->data_reply; }));
}

}  // namespace longline::mail
