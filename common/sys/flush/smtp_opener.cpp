// SPDX-License-Identifier: MIT
#include "sys/flush/smtp_opener.hpp"

#include <utility>
#include <variant>

namespace longline::sys {
namespace {

constexpr Duration kQuitPatience(2'000);

}  // namespace

SmtpOpener::SmtpOpener(Loop& loop, std::unique_ptr<ByteStream> line, mail::SmtpOpeningOptions options, TlsSettings tls, Trace trace)
    : loop_(loop),
      encrypted_(options.encrypted),
      masker_(options.login ? mail::login_secrets(*options.login) : std::vector<Secret>()),
      tls_settings_(std::move(tls)),
      trace_(std::move(trace)),
      machine_(std::move(options)),
      pump_(loop, std::move(line),
            {[this](std::string_view bytes) {
               if (trace_) trace_(true, masker_.feed(bytes) + masker_.flush());
               machine_.on_bytes(bytes, loop_.now());
               drain();
             },
             [this](const Error& why) { on_closed(why); },
             [this] { if (failure_ && pump_.idle()) over_ = true; }}) {}

Result<OpenedSession> SmtpOpener::run() {
  machine_.start(loop_.now());
  if (encrypted_) start_tls();
  drain();
  while (!over_) LONGLINE_CHECK(loop_.run_once());
  timer_.reset();
  last_write_.reset();
  if (failure_) return std::move(*failure_);
  return OpenedSession{pump_.release(), machine_.take_parser(), std::move(opened_->peer), std::move(tls_info_)};
}

void SmtpOpener::abort(Error why) {
  if (over_) return;
  failure_ = std::move(why);
  over_ = true;
}

void SmtpOpener::start_tls() {
  tls_begun_ = true;
  const Result<void> wrapped = pump_.wrap([this](std::unique_ptr<ByteStream> line) -> Result<std::unique_ptr<ByteStream>> {
    LONGLINE_TRY(std::unique_ptr<TlsStream> stream, TlsStream::start(std::move(line), tls_settings_, [this](const TlsInfo& info) {
      tls_info_ = info;
      if (!encrypted_) machine_.on_secured(loop_.now());
      drain();
    }));
    return std::unique_ptr<ByteStream>(std::move(stream));
  });
  if (!wrapped) on_closed(wrapped.error());
}

void SmtpOpener::on_closed(const Error& why) {
  if (tls_begun_ && !tls_info_) machine_.on_tls_failed(why, loop_.now());
  machine_.on_closed(loop_.now());
  drain();
  over_ = true;
}

void SmtpOpener::drain() {
  while (auto action = machine_.next_action()) {
    if (auto* write = std::get_if<Write>(&*action)) {
      if (trace_) trace_(false, write->secret ? "********\r\n" : write->bytes);
      pump_.write(write->bytes, write->secret);
    } else if (std::holds_alternative<mail::StartTls>(*action)) {
      start_tls();
    } else if (auto* opened = std::get_if<mail::SmtpOpened>(&*action)) {
      opened_ = std::move(*opened);
      over_ = true;
    } else {
      fail(std::move(std::get<mail::SmtpNotOpened>(*action).error));
    }
  }
  timer_.reset();
  if (const auto deadline = machine_.deadline(); deadline && !over_) {
    timer_ = loop_.at(*deadline, [this] {
      machine_.on_time(loop_.now());
      drain();
    });
  }
}

void SmtpOpener::fail(Error error) {
  if (failure_) return;
  failure_ = std::move(error);
  if (pump_.idle()) over_ = true;
  else last_write_ = loop_.at(loop_.now() + kQuitPatience, [this] { over_ = true; });
}

}  // namespace longline::sys
