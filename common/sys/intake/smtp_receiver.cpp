// SPDX-License-Identifier: MIT
#include "sys/intake/smtp_receiver.hpp"

#include <utility>
#include <variant>

namespace longline::sys {
namespace {

// A client that sends without reading our replies waits when so much is unread.
constexpr std::size_t kMostUnread = 256 * 1024;

}  // namespace

SmtpReceiver::SmtpReceiver(Loop& loop, std::unique_ptr<ByteStream> line, mail::SmtpServerOptions options, Store store,
                           Ended ended, Trace trace)
    : loop_(loop),
      machine_(options),
      store_(std::move(store)),
      ended_(std::move(ended)),
      trace_(std::move(trace)),
      pump_(loop, std::move(line),
            {[this](std::string_view bytes) {
               if (trace_) trace_(true, bytes);
               machine_.on_bytes(bytes, loop_.now());
               drain();
             },
             [this](const Error&) {
               machine_.on_closed(loop_.now());
               drain();
               end();
             },
             [this] {
               stall_.reset();
               set_timers();
               send_together();
               if (finished_ && pump_.pending() == 0) end();
             }}),
      patience_(options.command_timeout) {
  machine_.start(loop_.now());
  drain();
}

void SmtpReceiver::stop() {
  machine_.stop(loop_.now());
  drain();
}

void SmtpReceiver::drain() {
  draining_ = true;
  while (auto action = machine_.next_action()) {
    std::visit([this](auto& a) { act(a); }, *action);
  }
  draining_ = false;
  if (over_) return;
  send_together();
  pump_.set_reading(pump_.pending() < kMostUnread && !finished_ && !machine_.waiting());
  set_timers();
  if (finished_ && pump_.pending() == 0) end();
}

/// Replies to a group of commands leave together, with that to its message (RFC 2920, 3.2).
void SmtpReceiver::send_together() {
  if (!draining_ && !machine_.waiting() && pump_.pending() == 0) pump_.set_corked(false);
}

void SmtpReceiver::act(Write& write) {
  if (trace_) trace_(false, write.bytes);
  pump_.set_corked(true);
  pump_.write(write.bytes);
}

void SmtpReceiver::act(mail::Deliver& deliver) {
  store_(std::move(deliver), [this, still = std::weak_ptr<char>(alive_)](Result<std::string> stored) {
    if (still.expired()) return;
    if (stored) machine_.accept(*stored, loop_.now());
    else machine_.refuse(stored.error(), loop_.now());
    if (!draining_) drain();
  });
}

void SmtpReceiver::act(mail::SmtpServerFinished& finished) { finished_ = std::move(finished); }

void SmtpReceiver::set_timers() {
  timer_.reset();
  if (over_) return;
  if (const auto deadline = machine_.deadline(); deadline && !finished_) {
    timer_ = loop_.at(*deadline, [this] {
      machine_.on_time(loop_.now());
      drain();
    });
  }
  if (pump_.pending() > 0 && !stall_) {
    stall_ = loop_.at(loop_.now() + patience_, [this] {
      if (!finished_) finished_ = mail::SmtpServerFinished{false, "the client does not read its replies", 0};
      end();
    });
  }
}

void SmtpReceiver::end() {
  if (std::exchange(over_, true)) return;
  timer_.reset();
  stall_.reset();
  ended_(finished_.value_or(mail::SmtpServerFinished{false, "the connection was closed", 0}));
}

}  // namespace longline::sys
