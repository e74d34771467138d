// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/mime.hpp"
#include "mail/smtp_client_impl.hpp"

namespace longline::mail {
namespace {

using Step = Transaction::Step;

constexpr std::size_t kLargestWrite = 64 * 1024;
constexpr std::uint64_t kChunkSize = 256 * 1024;       ///< of BDAT: a refusal in the middle of a large message is heard
constexpr std::uint64_t kLargeUnknown = 128 * 1024;    ///< before the line's rate is known: worth waiting for RCPT's replies
constexpr std::uint64_t kPacket = 1448;                ///< what a packet of TCP holds, mostly
constexpr double kOldMessages = 20;                     ///< what was learned before weighs as so many messages of this session

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

/// RFC 5321, 4.5.2: a dot more before each line that starts with one. `before` is the content's byte before `bytes`.
void stuff_dots(std::string& out, std::string_view bytes, bool& at_line_start, char before) {
  while (!bytes.empty()) {
    if (at_line_start && bytes.front() == '.') out += '.';
    const std::size_t end = bytes.find('\n');
    const std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
    out += bytes.substr(0, taken);
    at_line_start = end != std::string_view::npos && (end > 0 ? bytes[end - 1] : before) == '\r';
    before = '\n';
    bytes.remove_prefix(taken);
  }
}

}  // namespace

/// Writes until the peer's replies, the window or the driver's buffer say stop.
void SmtpClient::Impl::pump(TimePoint now) {
  clock = now;
  while (phase == Phase::running) {
    if (!current && !begin_next(now)) break;
    if (!current || !write_step(now)) break;
  }
  flush();
  if (phase != Phase::running || current || !under_way.empty() || !waiting.empty()) return;
  if (!verdicts.empty()) return make_sure();
  if (unrecorded || room() < 16) return;
  if (options.keep_open && !stopping) leave_open();
  else quit();
}

/// False: nothing may begin now. A message that could not start yet is not leased.
bool SmtpClient::Impl::begin_next(TimePoint now) {
  if (!expected.empty() && expected.front().what == Expected::noop) return false;   // the last of its group (RFC 2920, 3.1)
  if (waiting.empty()) {
    if (!has_room() || (source_dry && !under_way.empty())) return false;
    if (auto next = fetch()) waiting.push_front(std::move(next));
  }
  if (phase != Phase::running || waiting.empty() || !may_begin(*waiting.front())) return false;
  current = std::move(waiting.front());
  waiting.pop_front();
  current->step = transaction_open || (!under_way.empty() && !under_way.back()->has_rset_behind) ? Step::rset : Step::mail;
  current->recipient_replies.resize(current->message.recipients.size());
  current->started = now;
  current->answered_before = answered_up_to;
  under_way.push_back(current);
  ++begun;
  return true;
}

bool SmtpClient::Impl::has_room() const {
  if (under_way.empty()) return true;
  if (careful || in_order()) return false;
  if (!use_chunking) return under_way.size() == 1;  // the body of one and the envelope of the next
  // Behind the first the envelope of the next may go, too: is_probing() holds its body. In a packet of its own that costs more than it brings.
  return static_cast<int>(under_way.size()) < (options.stream ? std::max(window.messages, 2) : window.messages);
}

/// Whether the peer has yet to show that it takes one message behind another: until then one body is all that can be in doubt.
bool SmtpClient::Impl::is_probing(const Transaction& t) const { return window.messages == 1 && under_way.front().get() != &t; }

bool SmtpClient::Impl::may_begin(const Transaction& next) const {
  if (under_way.empty()) return true;
  if (next.tries > 0 || !has_room()) return false;
  // One behind another always: the first is answered while the second is still on its way, and the line never rests.
  if (!use_chunking || under_way.size() == 1) return true;
  std::uint64_t bytes = next.size();
  for (const auto& transaction : under_way) bytes += transaction->size();
  return bytes <= static_cast<std::uint64_t>(std::max<std::int64_t>(window.bytes, 0));
}

/// The next sendable transaction of the source; what cannot be sent to this peer gets its result at once.
std::shared_ptr<Transaction> SmtpClient::Impl::fetch() {
  constexpr std::size_t kMostVerdicts = 100;
  while (!stopping && phase == Phase::running && (peer.messages_max == 0 || begun < peer.messages_max) && verdicts.size() < kMostVerdicts) {
    auto message = source.next_message();
    source_dry = !message;
    if (!message) break;
    if (auto transaction = prepare(std::move(*message))) return transaction;
  }
  return nullptr;
}

/// Splits off what the peer takes in one transaction; the rest goes to `waiting`. nullptr: nothing is left to send.
std::shared_ptr<Transaction> SmtpClient::Impl::prepare(Outgoing message) {
  auto first = std::make_shared<Transaction>();
  first->message = std::move(message);
  if (!make_sendable(*first)) return nullptr;
  std::vector<std::string>& recipients = first->message.recipients;
  std::vector<std::string> rest;
  if (recipients.size() > peer.recipients_max) {
    const auto cut = recipients.begin() + static_cast<std::ptrdiff_t>(peer.recipients_max);
    rest.assign(cut, recipients.end());
    recipients.erase(cut, recipients.end());
  }
  for (std::size_t at = 0; at < rest.size(); at += peer.recipients_max) {
    auto other = std::make_shared<Transaction>(*first);
    const auto from = rest.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = static_cast<std::ptrdiff_t>(std::min(peer.recipients_max, rest.size() - at));
    other->message.recipients.assign(from, from + count);
    waiting.push_back(std::move(other));
  }
  return first;
}

/// Checks the message against what the peer can do, and converts it where that helps. Recipients that cannot be served
/// get their results; false: none is left.
bool SmtpClient::Impl::make_sendable(Transaction& transaction) {
  Outgoing& message = transaction.message;
  const auto refuse_all = [&](std::string_view enhanced, std::string_view text) {
    judge({message.id, same_result(message.recipients, Outcome::refused, enhanced, text), true});
    return false;
  };
  if (message.recipients.empty()) return refuse_all("5.1.0", "the message has no recipients");
  if (has_control(message.sender)) return refuse_all("5.1.7", "the sender's address has a control character");
  if (needs_smtputf8(message.sender) && !peer.smtputf8) {
    return refuse_all("5.6.7", "the sender's address is not ASCII, and the peer does not know SMTPUTF8");
  }
  std::vector<std::string> bad;
  std::erase_if(message.recipients, [&](const std::string& address) {
    const bool unfit = has_control(address) || (needs_smtputf8(address) && !peer.smtputf8);
    if (unfit) bad.push_back(address);
    return unfit;
  });
  if (!bad.empty()) {
    auto results = same_result(bad, Outcome::refused, "5.6.7", "the address is not ASCII, and the peer does not know SMTPUTF8");
    judge({message.id, std::move(results), message.recipients.empty()});
    if (message.recipients.empty()) return false;
  }
  if (message.eight_bit && !peer.eight_bit_mime) {
    auto content = read_whole(message);
    if (!content) {
      auto results = same_result(message.recipients, Outcome::deferred, "4.3.0", content.error().what);
      give({message.id, std::move(results), true});
      return false;
    }
    auto converted = to_seven_bit(*content);
    if (!converted) return refuse_all("5.6.3", converted.error().what);
    transaction.seven_bit = std::make_shared<const std::string>(std::move(*converted));
  }
  if (peer.size_limit > 0 && transaction.size() > peer.size_limit) {
    return refuse_all("5.3.4", fmt::format("the message has {}, the peer takes {}", format_size(static_cast<std::int64_t>(transaction.size())),
                                           format_size(static_cast<std::int64_t>(peer.size_limit))));
  }
  return true;
}

void SmtpClient::Impl::judge(MessageResult result) {
  if (heard) give(std::move(result));
  else verdicts.push_back(std::move(result));
}

void SmtpClient::Impl::make_sure() {
  if (!expected.empty() || !put("NOOP\r\n")) return;
  expected.push_back({Expected::noop, nullptr, 0, false, traffic.bytes_out});
  flush();
}

Result<std::string> SmtpClient::Impl::read_whole(const Outgoing& message) {
  std::string content;
  while (content.size() < message.size) {
    LONGLINE_TRY(const std::string more, source.read_body(message.id, content.size(), message.size - content.size()));
    if (more.empty()) return Error(Errc::io, "the message is shorter than it should be");
    content += more;
  }
  return content;
}

/// One command, or a piece of a body. False: something must happen first.
bool SmtpClient::Impl::write_step(TimePoint now) {
  Transaction& t = *current;
  if (t.step < Step::body) {
    if (in_order() && !expected.empty()) return false;
    if (t.is_hopeless() && t.step != Step::await_354) {
      leave_current(now);
      return true;
    }
  }
  switch (t.step) {
    case Step::rset:
      if (!write_command("RSET\r\n", {Expected::rset, current})) return false;
      t.step = Step::mail;
      return true;
    case Step::mail:
      if (!write_command(mail_command(t, peer, options.return_headers_only), {Expected::mail, current})) return false;
      t.step = Step::rcpt;
      return true;
    case Step::rcpt: {
      const std::size_t i = t.next_recipient;
      if (!write_command(recipient_command(t, peer, i), {Expected::recipient, current, i})) return false;
      if (++t.next_recipient == t.message.recipients.size()) t.step = Step::data;
      return true;
    }
    case Step::data: return use_chunking ? write_chunk_header(now) : write_data_command();
    case Step::await_354:
      if (!t.data_reply) return false;
      leave_current(now);
      return true;
    case Step::body: return write_body();
    case Step::end: return write_end();
    case Step::rset_behind: return write_rset_behind();
    case Step::written: leave_current(now); return true;
  }
  return false;
}

void SmtpClient::Impl::leave_current(TimePoint now) {
  const auto left = std::exchange(current, nullptr);
  left->step = Step::written;
  if (left->pending == 0) complete(left, now);
}

bool SmtpClient::Impl::write_command(std::string_view command, Expect expect) {
  if (!put(command)) return false;
  expect.sent_up_to = traffic.bytes_out;
  ++expect.transaction->pending;
  expected.push_back(std::move(expect));
  return true;
}

bool SmtpClient::Impl::write_data_command() {
  if (!write_command("DATA\r\n", {Expected::data, current})) return false;
  current->step = Step::await_354;
  return true;
}

/// RFC 3030. The reply to a chunk follows its bytes; it is queued here, where the order is the same.
bool SmtpClient::Impl::write_chunk_header(TimePoint) {
  Transaction& t = *current;
  if (is_probing(t) || must_hold_body(t)) return false;
  const std::uint64_t left = t.size() - t.offset;
  const std::uint64_t length = left > kChunkSize + kChunkSize / 4 ? kChunkSize : left;
  const bool last = length == left;
  const std::string command = fmt::format("BDAT {}{}\r\n", length, last ? " LAST" : "");
  if (!write_command(command, {Expected::chunk, current, 0, last})) return false;
  t.body_started = true;
  t.chunk_end = t.offset + length;
  t.step = Step::body;
  return true;
}

/// Waits for the replies to RCPT where the body that would be for nothing costs more than the round trip: its time on the line,
/// times the probability of a refusal.
bool SmtpClient::Impl::must_hold_body(const Transaction& t) const {
  if (t.body_started || (t.mail_reply && t.recipients_answered())) return false;
  const double rate = best_rate > 0 ? best_rate : static_cast<double>(options.rate);
  if (rate <= 0 || !round_trip) return t.size() > kLargeUnknown;
  const double rejection = (options.rejection * kOldMessages + lessons.rejected) / (kOldMessages + lessons.tried);
  const double seconds = static_cast<double>(t.size()) / rate;
  // Where an answer takes less, the rate is that of the peer's disk, and bytes cost nothing.
  constexpr double kShortest = 0.02;
  return seconds * rejection > std::max(static_cast<double>(round_trip->count()) / 1000, kShortest);
}

bool SmtpClient::Impl::write_body() {
  Transaction& t = *current;
  t.body_started = true;
  const std::uint64_t end_of_piece = use_chunking ? t.chunk_end : t.size();
  if (t.offset < end_of_piece) {
    if (chunk.size() >= kLargestWrite) flush();
    // A stuffed line has at least three bytes, so dots add a third at most.
    const std::size_t space = std::min(room(), kLargestWrite - chunk.size()) * 3 / 4;
    if (space == 0) return false;
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(space, end_of_piece - t.offset));
    Result<std::string> bytes = t.seven_bit ? Result<std::string>(t.seven_bit->substr(t.offset, most)) : source.read_body(t.message.id, t.offset, most);
    if (bytes && (bytes->empty() || bytes->size() > most)) bytes = Error(Errc::io, "the message is shorter than it should be");
    if (!bytes) {
      give_up_unreadable(std::move(bytes).error());
      return false;
    }
    const std::size_t before = chunk.size();
    if (use_chunking) chunk += *bytes;
    else stuff_dots(chunk, *bytes, t.at_line_start, t.last_byte);
    t.last_byte = bytes->back();
    traffic.bytes_out += chunk.size() - before;
    t.offset += bytes->size();
  }
  if (t.offset < end_of_piece) return true;
  if (use_chunking && !expected.empty() && expected.back().transaction == current) expected.back().sent_up_to = traffic.bytes_out;
  if (!use_chunking) {
    t.step = Step::end;
  } else if (t.offset < t.size()) {
    t.step = Step::data;
  } else {
    t.handed_over = true;
    last_bytes_in_chunk.push_back({t.message.id, t.message.recipients});
    t.step = Step::rset_behind;
  }
  return true;
}

/// Behind each message in the same flight, where others send it before the next one. A reply that nobody asked for makes every later one
/// that of the command before, and nothing shows it: most are 250. But then a refused message has its refusal where RSET has its reply.
/// Where commands go one by one RSET waits for that reply first; only DATA, which is not answered with 250, needs none there.
bool SmtpClient::Impl::write_rset_behind() {
  Transaction& t = *current;
  if (in_order() && !expected.empty()) return false;
  if (!write_command("RSET\r\n", {Expected::rset_behind, current})) return false;
  t.has_rset_behind = true;
  t.step = Step::written;
  if (use_chunking && ends_packet(t)) flush(true);
  return true;
}

/// The connection must end before the peer can take what we have for the whole. Only this message is to blame.
void SmtpClient::Impl::give_up_unreadable(Error error) {
  const auto culprit = std::exchange(current, nullptr);
  std::erase(under_way, culprit);
  report(*culprit, same_result(culprit->message.recipients, Outcome::deferred, "4.3.0", error.what));
  end(std::move(error).context("message " + culprit->message.id));
}

/// The lone dot. Without an accepted recipient it comes alone: DATA got its 354 all the same (RFC 2920, 3.1).
bool SmtpClient::Impl::write_end() {
  Transaction& t = *current;
  if (!write_command(t.at_line_start ? ".\r\n" : "\r\n.\r\n", {Expected::end_of_data, current})) return false;
  t.handed_over = t.accepted() > 0;
  if (t.handed_over) last_bytes_in_chunk.push_back({t.message.id, t.message.recipients});
  t.step = in_order() ? Step::written : Step::rset_behind;
  return true;
}

/// False: the driver has no room for it now.
bool SmtpClient::Impl::put(std::string_view bytes) {
  if (room() < bytes.size()) return false;
  if (chunk.size() + bytes.size() > kLargestWrite) flush();
  chunk += bytes;
  traffic.bytes_out += bytes.size();
  return true;
}

/// Servers (Postfix) keep their replies back while they have something to read. Where a packet ends with a message, the reply to it comes
/// while the next one is still on its way: less is in doubt at a time, and the last reply is a short one. On a fast line, and for messages
/// of which a packet holds several, whole packets are worth more.
bool SmtpClient::Impl::ends_packet(const Transaction& transaction) const {
  return is_slow() && transaction.size() >= kPacket;
}

void SmtpClient::Impl::flush(bool ends_packet) {
  if (chunk.empty()) return;
  if (!last_bytes_in_chunk.empty()) actions.emplace_back(MarkInDoubt{std::exchange(last_bytes_in_chunk, {}), ends_packet});
  free -= std::min(free, chunk.size());
  actions.emplace_back(Write{std::exchange(chunk, {})});
  last_progress = clock;
}

}  // namespace longline::mail
