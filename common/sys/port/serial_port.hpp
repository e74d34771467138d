// SPDX-License-Identifier: MIT
#pragma once

#include <libserialport.h>

#include <string>

#include "sys/byte_stream.hpp"

namespace longline::sys {

struct SerialSettings {
  int speed = 115200;               ///< bit/s
  std::string framing = "8N1";
  enum class Flow { none, rtscts, xonxoff } flow = Flow::rtscts;
};

/// A real serial port: libserialport opens it, sets its speed and knows its modem lines; termios has the rest. It opens with CLOCAL, so loss of carrier is
/// seen only by asking: poll carrier(). Nothing but a UART can test it: tests/vm/test_serial.py.
///
/// Nothing here waits for a line whose flow control stands still: what has not left after two seconds without progress
/// is dropped, at the end as well, where the kernel would wait for 30 seconds.
class SerialPort : public ByteStream {
 public:
  /// `path`: the device itself, no symbolic link. Errc::no_device when libserialport does not know it.
  static Result<std::unique_ptr<SerialPort>> open(const std::string& path, const SerialSettings& settings);
  ~SerialPort() override;

  int read_fd() const override { return fd_; }
  Result<std::string> read(std::size_t most) override;
  Result<std::size_t> write(std::string_view bytes) override;
  std::optional<bool> carrier() override;
  Result<void> set_dtr(bool on) override;
  Result<void> send_break() override;
  Result<void> set_framing(const SetFraming& framing) override;
  Result<void> discard_input() override;
  void discard_output() override;
  std::size_t unsent() const override;

 private:
  explicit SerialPort(sp_port* port) : port_(port) {}
  Result<void> configure(const SetFraming& framing, SerialSettings::Flow flow);
  bool is_hung_up() const;
  void settle_output();          ///< until the last bit has left, or nothing moves
  sp_port* port_;
  int fd_ = -1;
  int speed_ = 0;                ///< bit/s
};

/// Is it a port that libserialport can drive? A pty is not.
bool is_serial_port(const std::string& path);

/// "8N1": data bits 5…8, parity N O E M S, stop bits 1 or 2. Errc::malformed otherwise.
Result<SetFraming> parse_framing(std::string_view text);

}  // namespace longline::sys
