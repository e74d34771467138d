// SPDX-License-Identifier: MIT
#include "sys/serial_port.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <cerrno>

namespace longline::sys {
namespace {

Error serial_error(sp_return code, const std::string& what) {
  if (code == SP_ERR_FAIL) {
    const int failure = sp_last_error_code();
    if (failure == EBUSY) return system_error(failure, what, Errc::port_in_use).in_stage(Stage::port);
    return system_error(failure, what, Errc::no_device).in_stage(Stage::port);
  }
  return Error(code == SP_ERR_ARG ? Errc::no_device : Errc::os, what + ": not a usable serial port", Stage::port);
}

sp_parity parity_of(Parity parity) {
  switch (parity) {
    case Parity::none: return SP_PARITY_NONE;
    case Parity::odd: return SP_PARITY_ODD;
    case Parity::even: return SP_PARITY_EVEN;
    case Parity::mark: return SP_PARITY_MARK;
    case Parity::space: return SP_PARITY_SPACE;
  }
  return SP_PARITY_NONE;
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
  if (const sp_return code = sp_set_baudrate(raw, settings.speed); code != SP_OK) {
    return serial_error(code, fmt::format("{}: speed {}", path, settings.speed));
  }
  LONGLINE_TRY(const SetFraming framing, parse_framing(settings.framing));
  LONGLINE_CHECK(port->set_framing(framing));
  const sp_flowcontrol flow = settings.flow == SerialSettings::Flow::rtscts    ? SP_FLOWCONTROL_RTSCTS
                              : settings.flow == SerialSettings::Flow::xonxoff ? SP_FLOWCONTROL_XONXOFF
                                                                               : SP_FLOWCONTROL_NONE;
  if (const sp_return code = sp_set_flowcontrol(raw, flow); code != SP_OK) return serial_error(code, path + ": flow control");
  // The last close drops DTR, also when it is the kernel that closes for a killed process.
  termios line{};
  if (::tcgetattr(port->fd_, &line) == 0) {
    line.c_cflag |= HUPCL;
    ::tcsetattr(port->fd_, TCSANOW, &line);
  }
  LONGLINE_CHECK(port->set_dtr(true));
  return port;
}

SerialPort::~SerialPort() {
  // With CTS low the close would wait half a minute for bytes that nobody wants any more.
  discard_output();
  sp_close(port_);
  sp_free_port(port_);
}

Result<std::string> SerialPort::read(std::size_t most) {
  std::string out(most, '\0');
  const int got = sp_nonblocking_read(port_, out.data(), out.size());
  if (got < 0) return Error(Errc::line_dropped, "the serial port is gone");
  out.resize(static_cast<std::size_t>(got));
  return out;
}

Result<std::size_t> SerialPort::write(std::string_view bytes) {
  const int put = sp_nonblocking_write(port_, bytes.data(), bytes.size());
  if (put < 0) return Error(Errc::line_dropped, "the serial port is gone");
  return static_cast<std::size_t>(put);
}

std::optional<bool> SerialPort::carrier() {
  sp_signal lines{};
  if (sp_get_signals(port_, &lines) != SP_OK) return std::nullopt;
  return (lines & SP_SIG_DCD) != 0;
}

Result<void> SerialPort::set_dtr(bool on) {
  if (sp_set_dtr(port_, on ? SP_DTR_ON : SP_DTR_OFF) != SP_OK) return serial_error(SP_ERR_FAIL, "DTR");
  return {};
}

Result<void> SerialPort::send_break() {
  if (::tcsendbreak(fd_, 0) != 0) return system_error(errno, "break", Errc::io);
  return {};
}

Result<void> SerialPort::set_framing(const SetFraming& framing) {
  sp_return code = SP_OK;
  if (framing.data_bits) code = sp_set_bits(port_, *framing.data_bits);
  if (code == SP_OK && framing.parity) code = sp_set_parity(port_, parity_of(*framing.parity));
  if (code == SP_OK && framing.stop_bits) code = sp_set_stopbits(port_, *framing.stop_bits);
  if (code != SP_OK) return serial_error(code, "the line's framing");
  return {};
}

void SerialPort::discard_output() { sp_flush(port_, SP_BUF_OUTPUT); }

std::size_t SerialPort::unsent() const {
  const int bytes = sp_output_waiting(port_);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

Result<void> SerialPort::discard_input() {
  sp_flush(port_, SP_BUF_INPUT);
  return {};
}

}  // namespace longline::sys
