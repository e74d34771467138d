// SPDX-License-Identifier: MIT
// What became of the messages of an SmtpClient, what the window learns from it, and the end of the session.
#include <algorithm>
#include <utility>

#include "mail/smtp_client_impl.hpp"

namespace longline::mail {
namespace {

constexpr int kMostMessages = 1000;
constexpr std::int64_t kLeastWindowBytes = 16 * 1024;
constexpr std::int64_t kMostWindowBytes = 4 * 1024 * 1024;
constexpr Duration kTellingTime(250);   ///< of a message on its way: what takes less was the peer's disk, or the distance

}  // namespace

/// Out of step: once more with nothing else under way, then a command at a time.
bool SmtpClient::Impl::try_again(const std::shared_ptr<Transaction>& transaction) {
  if (!transaction->is_out_of_step()) return false;
  careful = true;
  window.messages = 1;
  constexpr int kMostTries = 2;
  const bool hopeless = transaction->tries == kMostTries || (transaction->tries > 0 && in_order());
  if (hopeless || transaction->is_sent()) return false;
  if (++transaction->tries == kMostTries) lock_step = lessons.pipelining_failed = true;
  transaction->rewind();
  waiting.push_front(transaction);
  return true;
}

/// A peer that hangs up on the very first group, or does not understand it, takes no groups whatever it announces.
void SmtpClient::Impl::blame_group() {
  if (hung_up && begun > 0 && !understood && !in_order()) lessons.pipelining_failed = true;
  if (hung_up && in_flight() > 1) window.messages = std::max(1, window.messages / 2);
}

std::size_t SmtpClient::Impl::in_flight() const {
  return static_cast<std::size_t>(
      std::count_if(under_way.begin(), under_way.end(), [](const auto& t) { return t->handed_over && !t->data_reply; }));
}

void SmtpClient::Impl::count_envelope(const Transaction& transaction) {
  ++lessons.tried;
  if (transaction.accepted() == 0) ++lessons.rejected;
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
  // Where the peer was out of step nobody knows what it has begun (RFC 3030, 2).
  if (under_way.empty()) transaction_open = !sent && !transaction->has_rset_behind && (begun_there || transaction->is_out_of_step());
  if (try_again(transaction)) return;
  count_envelope(*transaction);
  std::vector<RecipientResult> results = transaction_results(*transaction, "");
  requeue_recipients(*transaction, results);
  report(*transaction, std::move(results));
  if (sent) learn(*transaction, now);
}

void SmtpClient::Impl::report(const Transaction& transaction, std::vector<RecipientResult> results) {
  const auto same = [&](const auto& other) { return other.get() != &transaction && other->message.id == transaction.message.id; };
  const bool more = std::any_of(under_way.begin(), under_way.end(), same) || std::any_of(waiting.begin(), waiting.end(), same);
  give({transaction.message.id, std::move(results), !more, peer.dsn});
}

void SmtpClient::Impl::give(MessageResult result) {
  unrecorded = true;
  actions.emplace_back(std::move(result));
}

/// After a clean message the window grows; its bytes are twice what the line was seen to carry in a round trip.
void SmtpClient::Impl::learn(const Transaction& transaction, TimePoint now) {
  if (!careful) window.messages = std::min(window.messages + 1, kMostMessages);
  const Duration took = now - transaction.started;
  if (took.count() <= 0) return;
  const double rate = static_cast<double>(answered_up_to - transaction.answered_before) * 1000 / static_cast<double>(took.count());
  best_rate = std::max(best_rate, rate);
  const Duration distance = round_trip.value_or(Duration(0));
  if (took - distance >= kTellingTime && took >= 3 * distance) line_rate = std::max(line_rate, rate);
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
  blame_group();
  const std::string lost = error ? error->what : "the session ended";
  for (MessageResult& result : verdicts) {
    for (RecipientResult& r : result.recipients) r = same_result({r.address}, Outcome::not_tried, "", lost).front();
    give(std::move(result));
  }
  verdicts.clear();
  for (; !under_way.empty(); under_way.pop_front()) {
    Transaction& transaction = *under_way.front();
    const bool never_left = std::any_of(last_bytes_in_chunk.begin(), last_bytes_in_chunk.end(),
                                        [&](const InFlight& f) { return f.id == transaction.message.id; });
    if (never_left) transaction.handed_over = false;
    if (out_of_step && transaction.handed_over) transaction.data_reply.reset();
    const bool unheard = (lessons.pipelining_failed || lessons.chunking_failed) && transaction.is_out_of_step();
    report(transaction, unheard ? same_result(transaction.message.recipients, Outcome::not_tried, "", lost)
                                : transaction_results(transaction, lost));
  }
  for (; !waiting.empty(); waiting.pop_front()) {
    report(*waiting.front(), same_result(waiting.front()->message.recipients, Outcome::not_tried, "", lost));
  }
  expected.clear();
  current.reset();
  constexpr int kEnoughSamples = 4;
  lessons.rate = static_cast<std::int64_t>(best_rate);
  lessons.rate_is_least = line_rate <= 0;
  lessons.round_trip = round_trip;
  if (samples >= kEnoughSamples && round_trip) {
    const double flight = 2 * best_rate * static_cast<double>(round_trip->count()) / 1000;
    window.bytes = std::clamp(static_cast<std::int64_t>(std::min(flight, 1e12)), kLeastWindowBytes, kMostWindowBytes);
  }
  actions.emplace_back(SmtpFinished{std::move(error), window, traffic, lessons});
}

void SmtpClient::Impl::quit() {
  chunk += "QUIT\r\n";
  traffic.bytes_out += chunk.size();
  flush();
  end(std::nullopt);
}

void SmtpClient::Impl::leave_open() {
  end(std::nullopt);
  std::get<SmtpFinished>(actions.back()).open = true;
}

}  // namespace longline::mail
