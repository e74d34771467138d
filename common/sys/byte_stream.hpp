// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/machine.hpp"
#include "base/result.hpp"

namespace longline::sys {

/// An open line, non-blocking. Adapters: SerialPort (libserialport), TtyStream (a pty, a socket, or any descriptor that is
/// already open), TlsStream (over another one). Closes with the object; closing hangs up (DTR falls, or the connection ends).
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// To poll for POLLIN and POLLOUT. For a pair of descriptors (stdin and stdout) the one that is read.
  virtual int read_fd() const = 0;
  virtual int write_fd() const { return read_fd(); }

  /// What has arrived, at most `most` bytes; "" when nothing has. Errc::line_dropped at the end of the stream.
  virtual Result<std::string> read(std::size_t most = 65536) = 0;
  /// How many of the bytes were taken, maybe 0. Errc::line_dropped when the other end is gone.
  virtual Result<std::size_t> write(std::string_view bytes) = 0;
  /// Writes as much of `pending` as is taken now, and leaves the rest in it. Errors as write().
  Result<void> write_from(std::string& pending);

  // A stream over another one (TLS) has bytes of its own on the way:
  /// More can be read without waiting for the descriptor.
  virtual bool has_input() const { return false; }
  /// Whether to poll for POLLOUT; `pending`: the caller has bytes to write.
  virtual bool wants_output(bool pending) const { return pending; }
  /// Writes what it keeps, as far as the line takes it. Errors as write().
  virtual Result<void> flush() { return {}; }

  /// Data Carrier Detect (V.24 circuit 109); nullopt where the line has none (pty, TCP).
  virtual std::optional<bool> carrier() { return std::nullopt; }
  /// No effect where the line has no modem lines.
  virtual Result<void> set_dtr(bool) { return {}; }
  virtual Result<void> send_break() { return {}; }
  virtual Result<void> set_framing(const SetFraming&) { return {}; }
  virtual Result<void> discard_input() { return {}; }
  /// Throws away what was written and has not left: once the carrier is gone a modem would take it for commands.
  virtual void discard_output() {}
  /// While corked, a packet that is not full waits for more (TCP; no effect elsewhere). Uncork whenever nothing more follows.
  virtual void set_corked(bool) {}
  /// Bytes that were written and have not left, as far as the system knows.
  virtual std::size_t unsent() const { return 0; }
};

}  // namespace longline::sys
