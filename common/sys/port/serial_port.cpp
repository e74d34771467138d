// SPDX-License-Identifier: MIT
#include "sys/port/serial_port.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <cerrno>

#include "sys/tty_stream.hpp"

namespace longline::sys {
namespace {

/// The most that waits in the kernel: what is there cannot be taken back in time when the carrier goes.
constexpr std::size_t kMostUnsent = 512;
constexpr int kNoProgress = 2'000;   ///< ms
constexpr int kFifo = 16 + 1;        ///< characters that a UART holds: its FIFO and the one on the wire
constexpr int kTick = 5;             ///< ms

Error port_error(int failure, const std::string& what) {
  return system_error(failure, what, Errc::no_device).in_stage(Stage::port);
}

void pause(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

Error serial_error(sp_return code, const std::string& what) {
  if (code == SP_ERR_FAIL) {
    const int failure = sp_last_error_code();
    if (failure == EBUSY) return system_error(failure, what, Errc::port_in_use).in_stage(Stage::port);
    return system_error(failure, what, Errc::no_device).in_stage(Stage::port);
  }
  return Error(code == SP_ERR_ARG ? Errc::no_device : Errc::os, what + ": not a usable serial port", Stage::port);
}

}  // namespace

bool is_serial_port(const std::string& path) {
  sp_port* port = nullptr;
  if (sp_get_port_by_name(path.c_str(), &port) != SP_OK) return false;
  sp_free_port(port);
  return true;
}

Result<SetFraming> parse_framing(std::string_view text) {
  const auto bad = [&] { return Error(Errc::malformed, fmt::format("'{}' is not a framing like 8N1 or 7E1", text)); };
  if (text.size() != 3 || text[0] < '5' || text[0] > '8' || text[2] < '1' || text[2] > '2') return bad();
  SetFraming framing;
  framing.data_bits = text[0] - '0';
  framing.stop_bits = text[2] - '0';
  switch (text[1]) {
    case 'N': framing.parity = Parity::none; break;
    case 'O': framing.parity = Parity::odd; break;
    case 'E': framing.parity = Parity::even; break;
    case 'M': framing.parity = Parity::mark; break;
    case 'S': framing.parity = Parity::space; break;
    default: return bad();
  }
  return framing;
}

Result<std::unique_ptr<SerialPort>> SerialPort::open(const std::string& path, const SerialSettings& settings) {
  sp_port* raw = nullptr;
  if (const sp_return code = sp_get_port_by_name(path.c_str(), &raw); code != SP_OK) return serial_error(code, path);
  std::unique_ptr<SerialPort> port(new SerialPort(raw));
  if (const sp_return code = sp_open(raw, SP_MODE_READ_WRITE); code != SP_OK) return serial_error(code, path);
  if (sp_get_port_handle(raw, &port->fd_) != SP_OK) return serial_error(SP_ERR_SUPP, path);
  ::fcntl(port->fd_, F_SETFD, FD_CLOEXEC);
  LONGLINE_TRY(const SetFraming framing, parse_framing(settings.framing));
  port->speed_ = settings.speed;
  if (const sp_return code = sp_set_baudrate(raw, settings.speed); code != SP_OK) {
    return serial_error(code, fmt::format("{}: speed {}", path, settings.speed));
  }
  LONGLINE_CHECK(port->configure(framing, settings.flow));
  LONGLINE_CHECK(port->set_dtr(true));
  return port;
}

/// A port keeps what the last program has set, and libserialport leaves some of it: IXANY, the characters of XON and XOFF.
/// Its own calls for framing, flow control and DTR put CRTSCTS off again where the kernel has no termiox.
Result<void> SerialPort::configure(const SetFraming& framing, SerialSettings::Flow flow) {
  termios line{};
  if (::tcgetattr(fd_, &line) != 0) return port_error(errno, "the port's settings");
  ::cfmakeraw(&line);
  apply_framing(line, framing);
  line.c_iflag = flow == SerialSettings::Flow::xonxoff ? IXON | IXOFF : 0;
  line.c_oflag = 0;
  if (flow == SerialSettings::Flow::rtscts) line.c_cflag |= CRTSCTS;
  else line.c_cflag &= ~static_cast<tcflag_t>(CRTSCTS);
  // The last close drops DTR, also when it is the kernel that closes for a killed process.
  line.c_cflag |= CLOCAL | CREAD | HUPCL;
  line.c_cc[VMIN] = 0;
  line.c_cc[VTIME] = 0;
  line.c_cc[VSTART] = 0x11;
  line.c_cc[VSTOP] = 0x13;
  if (::tcsetattr(fd_, TCSANOW, &line) != 0) return port_error(errno, "the port's settings");
  return {};
}

SerialPort::~SerialPort() {
  if (fd_ >= 0) {
    settle_output();
    ::tcflush(fd_, TCOFLUSH);
  }
  sp_close(port_);
  sp_free_port(port_);
}

Result<std::string> SerialPort::read(std::size_t most) {
  std::string out(most, '\0');
  const int got = sp_nonblocking_read(port_, out.data(), out.size());
  if (got < 0) return Error(Errc::line_dropped, "the serial port is gone");
  if (got == 0 && is_hung_up()) return Error(Errc::line_dropped, "the serial port is gone");
  out.resize(static_cast<std::size_t>(got));
  return out;
}

/// An adapter that was pulled out reads as an empty line for ever.
bool SerialPort::is_hung_up() const {
  pollfd line{fd_, 0, 0};
  return ::poll(&line, 1, 0) > 0 && (line.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

std::size_t SerialPort::unsent() const {
  int queued = 0;
  return ::ioctl(fd_, TIOCOUTQ, &queued) == 0 && queued > 0 ? static_cast<std::size_t>(queued) : 0;
}

void SerialPort::settle_output() {
  std::size_t left = unsent();
  for (int waited = 0; left > 0 && waited < kNoProgress; waited += kTick) {
    pause(kTick);
    const std::size_t now = unsent();
    if (now < left) waited = 0;
    left = now;
  }
  // 10 bits a character; TIOCSERGETLSR says sooner that the transmitter is empty, where there is one to ask.
  const int longest = speed_ > 0 ? std::min(kFifo * 10'000 / speed_ + 1, kNoProgress) : 0;
  for (int waited = 0; waited < longest; waited += kTick) {
    unsigned int state = 0;
    if (::ioctl(fd_, TIOCSERGETLSR, &state) == 0 && (state & TIOCSER_TEMT) != 0) return;
    pause(std::min(kTick, longest));
  }
}

Result<std::size_t> SerialPort::write(std::string_view bytes) {
  const std::size_t waiting = unsent();
  if (waiting >= kMostUnsent) return std::size_t{0};
  const int put = sp_nonblocking_write(port_, bytes.data(), std::min(bytes.size(), kMostUnsent - waiting));
  if (put < 0) return Error(Errc::line_dropped, "the serial port is gone");
  return static_cast<std::size_t>(put);
}

std::optional<bool> SerialPort::carrier() {
  sp_signal lines{};
  if (sp_get_signals(port_, &lines) != SP_OK) return std::nullopt;
  return (lines & SP_SIG_DCD) != 0;
}

Result<void> SerialPort::set_dtr(bool on) {
  const int dtr = TIOCM_DTR;
  if (::ioctl(fd_, on ? TIOCMBIS : TIOCMBIC, &dtr) != 0) return port_error(errno, "DTR");
  return {};
}

Result<void> SerialPort::send_break() {
  settle_output();
  if (unsent() > 0) return Error(Errc::io, "break: flow control holds the line");
  if (::tcsendbreak(fd_, 0) != 0) return system_error(errno, "break", Errc::io);
  return {};
}

Result<void> SerialPort::set_framing(const SetFraming& framing) {
  settle_output();
  termios line{};
  if (::tcgetattr(fd_, &line) != 0) return port_error(errno, "the line's framing");
  apply_framing(line, framing);
  if (::tcsetattr(fd_, TCSANOW, &line) != 0) return port_error(errno, "the line's framing");
  return {};
}

Result<void> SerialPort::discard_input() {
  sp_flush(port_, SP_BUF_INPUT);
  return {};
}

void SerialPort::discard_output() { sp_flush(port_, SP_BUF_OUTPUT); }

}  // namespace longline::sys
