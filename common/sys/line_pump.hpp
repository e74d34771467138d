// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sys/byte_stream.hpp"
#include "sys/loop.hpp"

namespace longline::sys {

/// A line and its loop: reads and hands over, buffers and writes, notices the end. It keeps reading while it writes, or both
/// ends could wait for each other for ever. The handlers may call anything here but must not destroy the pump.
class LinePump {
 public:
  struct Handlers {
    std::function<void(std::string_view)> on_bytes;
    std::function<void(const Error&)> on_closed;   ///< once: the other end is gone, or the line failed
    std::function<void()> on_written;              ///< some bytes left for the line
  };
  LinePump(Loop& loop, std::unique_ptr<ByteStream> line, Handlers handlers);

  /// ByteStream::set_corked().
  void set_corked(bool corked);
  /// Writes what the line takes now and keeps the rest. `secret`: what is kept is wiped when it has left.
  void write(std::string_view bytes, bool secret = false);
  /// Puts another stream (TLS) over the line, from now on. Nothing may be pending. After an error there is no line: close.
  using Wrap = std::function<Result<std::unique_ptr<ByteStream>>(std::unique_ptr<ByteStream>)>;
  Result<void> wrap(const Wrap& wrap);
  /// Takes the line away; the pump is of no more use.
  std::unique_ptr<ByteStream> release();
  std::size_t pending() const { return out_.size() - written_; }
  /// Nothing waits here, or in a stream that keeps bytes of its own.
  bool idle() const { return pending() == 0 && (closed_ || !line_->wants_output(false)); }
  /// Stops and resumes reading, for back pressure.
  void set_reading(bool reading);
  bool closed() const { return closed_; }
  std::uint64_t bytes_in() const { return bytes_in_; }
  std::uint64_t bytes_out() const { return bytes_out_; }

 private:
  void watch_reader();
  void on_ready(short revents);
  void read_some();
  void write_some();
  void watch_again();
  void close(const Error& error);

  Loop& loop_;
  std::unique_ptr<ByteStream> line_;
  Handlers handlers_;
  std::string out_;
  std::size_t written_ = 0;
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
  bool reading_ = true;
  bool closed_ = false;
  bool corked_ = false;
  bool wipe_ = false;
  Loop::Registration reader_;
  Loop::Registration writer_;   // only where the line has two descriptors
};

}  // namespace longline::sys
