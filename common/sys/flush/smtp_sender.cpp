// SPDX-License-Identifier: MIT
#include "sys/flush/smtp_sender.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace longline::sys {
namespace {

// Small: what waits here, or in the kernel before the line, has not been sent, and a message whose last byte waits here is in doubt
// when the line is cut.
constexpr std::size_t kReplyBuffer = 8192;
// A full packet takes seconds on a slow line, longer than TCP waits that has seen small ones come back: it would send it twice. So
// the first ones grow, and TCP learns.
constexpr std::size_t kFirstPackets[] = {300, 450, 650, 950};
// QUIT must leave, but nobody pays for a line that does not take it.
constexpr Duration kPatienceAfterQuit(5'000);

}  // namespace

SmtpSender::SmtpSender(Loop& loop, std::unique_ptr<ByteStream> line, mail::SmtpClientOptions options,
                       mail::MessageSource& source, Journal journal, Trace trace, TlsSettings tls)
    : loop_(loop),
      encrypted_(options.encrypted),
      masker_(options.login ? mail::login_secrets(*options.login) : std::vector<Secret>()),
      machine_(std::move(options), source),
      journal_(std::move(journal)),
      trace_(std::move(trace)),
      tls_settings_(std::move(tls)),
      pump_(loop, std::move(line),
            {[this](std::string_view bytes) {
               if (trace_) trace_(true, masker_.feed(bytes) + masker_.flush());
               machine_.on_bytes(bytes, loop_.now());
               drain();
             },
             [this](const Error& why) { on_closed(why); },
             [this] {
               progress_ = true;
               drain();
             }}) {}

Result<mail::SmtpFinished> SmtpSender::run() {
  machine_.start(loop_.now());
  if (encrypted_) start_tls();
  drain();
  while (!over_) LONGLINE_CHECK(loop_.run_once());
  timer_.reset();
  last_write_.reset();
  if (failure_) return std::move(*failure_);
  if (finished_) return std::move(*finished_);
  return Error(Errc::software, "the session ended without a result", Stage::transfer);
}

OpenedSession SmtpSender::release() { return {pump_.release(), machine_.take_parser(), machine_.peer()}; }

// ---- TLS

void SmtpSender::start_tls() {
  clear_out_ = pump_.bytes_out();
  clear_in_ = pump_.bytes_in();
  const Result<void> wrapped = pump_.wrap([this](std::unique_ptr<ByteStream> line) -> Result<std::unique_ptr<ByteStream>> {
    LONGLINE_TRY(std::unique_ptr<TlsStream> stream,
                 TlsStream::start(std::move(line), tls_settings_, [this](const TlsInfo& info) { on_secured(info); }));
    tls_ = stream.get();
    return std::unique_ptr<ByteStream>(std::move(stream));
  });
  if (!wrapped) on_closed(wrapped.error());
}

void SmtpSender::on_secured(const TlsInfo& info) {
  tls_info_ = info;
  if (!encrypted_) machine_.on_secured(loop_.now());
  drain();
}

void SmtpSender::on_closed(const Error& why) {
  const bool in_handshake = tls_ != nullptr && !tls_info_;
  const bool no_tls = tls_ == nullptr && pump_.closed() && why.code != Errc::line_dropped;
  if (in_handshake || no_tls) machine_.on_tls_failed(why, loop_.now());
  machine_.on_closed(loop_.now());
  drain();
  over_ = true;
}

std::uint64_t SmtpSender::bytes_out() const { return tls_ == nullptr ? pump_.bytes_out() : clear_out_ + tls_->line_bytes_out(); }
std::uint64_t SmtpSender::bytes_in() const { return tls_ == nullptr ? pump_.bytes_in() : clear_in_ + tls_->line_bytes_in(); }

// ---- the session

void SmtpSender::stop() {
  machine_.stop(loop_.now());
  drain();
}

void SmtpSender::abort() {
  machine_.on_closed(loop_.now());
  drain();
  over_ = true;
}

void SmtpSender::drain() {
  // A write may call back here when bytes leave; the outer loop goes on then.
  if (draining_) return;
  draining_ = true;
  while (!failure_) {
    if (std::exchange(progress_, false)) {
      machine_.on_writable(kReplyBuffer - std::min(kReplyBuffer, pump_.pending()), loop_.now());
    }
    auto action = machine_.next_action();
    if (action && std::holds_alternative<mail::MessageResult>(*action)) {
      results_.push_back(std::move(std::get<mail::MessageResult>(*action)));
      continue;
    }
    const bool recorded = record_results();
    if (failure_) break;
    if (!action && recorded) continue;
    if (!action) break;
    if (auto* write = std::get_if<Write>(&*action)) {
      if (trace_) trace_(false, write->secret ? "********\r\n" : write->bytes);
      write_out(write->bytes, write->secret);
      if (std::exchange(ends_packet_, false)) pump_.set_corked(false);
      if (write->secret) std::fill(write->bytes.begin(), write->bytes.end(), '\0');
    } else if (std::holds_alternative<mail::StartTls>(*action)) {
      start_tls();
    } else if (auto* mark = std::get_if<mail::MarkInDoubt>(&*action)) {
      ends_packet_ = mark->ends_packet;
      if (auto marked = journal_.mark_in_doubt(mark->messages); !marked) fail(std::move(marked).error());
    } else if (auto* finished = std::get_if<mail::SmtpFinished>(&*action)) {
      finished_ = std::move(*finished);
    }
  }
  draining_ = false;
  if (pump_.pending() == 0) pump_.set_corked(false);
  set_timers();
  finish_when_written();
}

void SmtpSender::write_out(std::string_view bytes, bool secret) {
  while (!bytes.empty()) {
    const std::size_t most = first_packets_ < std::size(kFirstPackets) ? kFirstPackets[first_packets_] : bytes.size();
    pump_.set_corked(true);
    pump_.write(bytes.substr(0, most), secret);
    if (bytes.size() < most) return;
    if (first_packets_ < std::size(kFirstPackets)) {
      ++first_packets_;
      pump_.set_corked(false);
    }
    bytes.remove_prefix(most);
  }
}

/// Whether there were any.
bool SmtpSender::record_results() {
  if (results_.empty()) return false;
  std::vector<mail::MessageResult> results;
  results.swap(results_);
  if (auto recorded = journal_.record(results); !recorded) fail(std::move(recorded).error());
  else machine_.on_recorded();
  return true;
}

void SmtpSender::fail(Error error) {
  failure_ = std::move(error);
  over_ = true;
}

void SmtpSender::set_timers() {
  timer_.reset();
  if (over_ || finished_) return;
  if (const auto deadline = machine_.deadline()) {
    timer_ = loop_.at(*deadline, [this] {
      machine_.on_time(loop_.now());
      drain();
    });
  }
}

void SmtpSender::finish_when_written() {
  if (!finished_ || over_) return;
  if (pump_.idle() || pump_.closed() || finished_->error || finished_->open) {
    over_ = true;
  } else if (!last_write_) {
    last_write_ = loop_.at(loop_.now() + kPatienceAfterQuit, [this] { over_ = true; });
  }
}

}  // namespace longline::sys
