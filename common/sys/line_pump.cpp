// SPDX-License-Identifier: MIT
#include "sys/line_pump.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace longline::sys {

LinePump::LinePump(Loop& loop, std::unique_ptr<ByteStream> line, Handlers handlers)
    : loop_(loop), line_(std::move(line)), handlers_(std::move(handlers)) {
  watch_reader();
  if (line_->write_fd() != line_->read_fd()) {
    writer_ = loop.watch(line_->write_fd(), 0, [this](short) { write_some(); watch_again(); });
  }
}

void LinePump::watch_reader() {
  reader_ = loop_.watch(line_->read_fd(), POLLIN, [this](short revents) { on_ready(revents); });
}

void LinePump::set_reading(bool reading) {
  reading_ = reading;
  if (reading_ && !reader_ && !closed_) watch_reader();
  watch_again();
}

void LinePump::write(std::string_view bytes, bool secret) {
  if (closed_) return;
  wipe_ = wipe_ || secret;
  out_ += bytes;
  write_some();
  watch_again();
}

void LinePump::set_corked(bool corked) {
  if (closed_ || corked == std::exchange(corked_, corked)) return;
  line_->set_corked(corked);
}

Result<void> LinePump::wrap(const Wrap& wrap) {
  if (closed_ || pending() > 0) return Error(Errc::software, "a line that is busy cannot be wrapped");
  set_corked(false);
  Result<std::unique_ptr<ByteStream>> wrapped = wrap(std::move(line_));
  if (!wrapped) {
    closed_ = true;
    reader_.reset();
    writer_.reset();
    return std::move(wrapped).error();
  }
  line_ = std::move(*wrapped);
  watch_again();
  return {};
}

std::unique_ptr<ByteStream> LinePump::release() {
  closed_ = true;
  reader_.reset();
  writer_.reset();
  return std::move(line_);
}

void LinePump::on_ready(short revents) {
  // The end of the input waits until somebody reads again: the output is another descriptor, and may still have answers to take.
  if (!reading_ && writer_ && (revents & (POLLHUP | POLLERR)) != 0) return reader_.reset();
  if ((revents & POLLOUT) != 0) {
    const bool kept = line_->wants_output(false);
    if (const Result<void> flushed = line_->flush(); !flushed) return close(flushed.error());
    write_some();
    if (kept && !closed_ && idle() && handlers_.on_written) handlers_.on_written();
  }
  if (!closed_ && ((revents & POLLIN) != 0 || (revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)) read_some();
  watch_again();
}

void LinePump::read_some() {
  do {
    Result<std::string> bytes = line_->read();
    if (!bytes) return close(bytes.error());
    if (bytes->empty()) return;
    bytes_in_ += bytes->size();
    handlers_.on_bytes(*bytes);
  } while (!closed_ && reading_ && line_->has_input());
}

void LinePump::write_some() {
  bool some = false;
  while (!closed_ && pending() > 0) {
    const Result<std::size_t> n = line_->write(std::string_view(out_).substr(written_));
    if (!n) return close(n.error());
    if (*n == 0) break;
    written_ += *n;
    bytes_out_ += *n;
    some = true;
  }
  if (pending() == 0) {
    if (std::exchange(wipe_, false)) std::fill(out_.begin(), out_.end(), '\0');
    out_.clear();
    written_ = 0;
  } else if (written_ > (1u << 16)) {
    out_.erase(0, written_);
    written_ = 0;
  }
  if (some && handlers_.on_written) handlers_.on_written();
}

void LinePump::watch_again() {
  if (closed_) return;
  const short in = reading_ ? POLLIN : 0, out = line_->wants_output(pending() > 0) ? POLLOUT : 0;
  if (writer_) {
    reader_.set_events(in);
    writer_.set_events(out);
  } else {
    reader_.set_events(static_cast<short>(in | out));
  }
}

void LinePump::close(const Error& error) {
  if (closed_) return;
  // What the peer said before it went is still there to be read after a failed write.
  constexpr int kMostReads = 64;
  for (int i = 0; i < kMostReads; ++i) {
    Result<std::string> rest = line_->read();
    if (!rest || rest->empty()) break;
    bytes_in_ += rest->size();
    handlers_.on_bytes(*rest);
    if (closed_) return;
  }
  closed_ = true;
  reader_.reset();
  writer_.reset();
  if (wipe_) std::fill(out_.begin(), out_.end(), '\0');
  out_.clear();
  written_ = 0;
  handlers_.on_closed(error);
}

}  // namespace longline::sys
