// SPDX-License-Identifier: MIT
#include "sys/login/terminal_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace longline::sys {
namespace {

constexpr std::size_t kMostPending = 65536;
constexpr Duration kCarrierPollOfTerminal{500};
/// How long the line has for what was typed last.
constexpr Duration kLastBytes{5000};

}  // namespace

Result<TerminalSession::End> TerminalSession::run(Signals& signals) {
  LONGLINE_CHECK(loop_.run_once(loop_.now()));   // for its idea of now
  const auto signalled = loop_.watch(signals.fd(), POLLIN, [&](short) {
    if (const auto number = signals.take()) fail(Error(Errc::interrupted, fmt::format("interrupted by SIG{}", ::sigabbrev_np(*number)), Stage::login));
  });
  last_ = loop_.now();
  std::optional<TimePoint> drained_by;
  while (!error_ && (!end_ || (end_ == End::asked && !pending_.empty() && loop_.now() < *drained_by))) {
    watch();
    const TimePoint wake = end_ ? *drained_by : std::min(last_ + idle_, loop_.now() + kCarrierPollOfTerminal);
    LONGLINE_CHECK(loop_.run_once(wake));
    if (end_ && !drained_by) drained_by = loop_.now() + kLastBytes;
    if (end_) continue;
    const std::optional<bool> carrier = line_.carrier();
    if (had_carrier_ && carrier && !*carrier) lost();
    had_carrier_ = had_carrier_ || carrier.value_or(false);
    if (!end_ && loop_.now() - last_ >= idle_) end_ = End::idle;
  }
  if (error_) return *error_;
  return *end_;
}

void TerminalSession::watch() {
  terminal_.refresh(loop_);
  const bool one = line_.read_fd() == line_.write_fd();
  const short out = pending_.empty() ? 0 : POLLOUT;
  const auto on_line = [this](short revents) {
    if ((revents & POLLOUT) != 0) write();
    if (!end_ && (revents & (POLLIN | POLLHUP | POLLERR)) != 0) read();
  };
  // Flow control is the line's own business: what the screen does not take stays there.
  const short in = end_ || terminal_.is_behind() ? 0 : POLLIN;
  const auto events = static_cast<short>(one ? in | out : in);
  if (!reading_) reading_ = loop_.watch(line_.read_fd(), events, on_line);
  else reading_.set_events(events);
  if (one || out == 0) writing_.reset();
  else if (!writing_) writing_ = loop_.watch(line_.write_fd(), out, [this](short) { write(); });
  if (end_ || pending_.size() >= kMostPending) typing_.reset();
  else if (!typing_) typing_ = loop_.watch(terminal_.keyboard(), POLLIN, [this](short) { keys(); });
}

void TerminalSession::keys() {
  for (UserTerminal::Keys keys = terminal_.read();; keys = terminal_.read()) {
    if (!keys.bytes.empty()) {
      last_ = loop_.now();
      trace_.typed(keys.bytes, loop_.now());
      pending_ += keys.bytes;
    }
    if (keys.end || keys.over) end_ = End::asked;
    write();
    if (keys.send_break) {
      if (const Result<void> sent = line_.send_break(); !sent) fail(sent.error());
    }
    if (end_ || error_ || !keys.more) return;
  }
}

void TerminalSession::read() {
  const Result<std::string> got = line_.read(4096);
  if (!got) {
    if (got.error().code == Errc::line_dropped) return lost();
    return fail(got.error());
  }
  if (got->empty()) return;
  last_ = loop_.now();
  trace_.received(*got, loop_.now());
  terminal_.show(*got);
}

void TerminalSession::write() {
  const Result<void> written = line_.write_from(pending_);
  if (written) return;
  if (written.error().code == Errc::line_dropped) return lost();
  fail(written.error());
}

void TerminalSession::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

void TerminalSession::lost() {
  pending_.clear();
  if (end_) return;
  trace_.carrier_lost(loop_.now());
  end_ = End::line_lost;
}

}  // namespace longline::sys
