// SPDX-License-Identifier: MIT
#include "sys/port/port.hpp"

#include <filesystem>

#include "sys/sockets.hpp"
#include "sys/system_clock.hpp"
#include "sys/tty_stream.hpp"

namespace longline::sys {

SerialSettings serial_settings(const config::Link& link) {
  SerialSettings settings;
  settings.speed = link.speed;
  settings.framing = link.framing;
  settings.flow = link.flow == config::Flow::rtscts    ? SerialSettings::Flow::rtscts
                  : link.flow == config::Flow::xonxoff ? SerialSettings::Flow::xonxoff
                                                       : SerialSettings::Flow::none;
  return settings;
}

Result<std::unique_ptr<ByteStream>> open_port(const std::string& port, const SerialSettings& settings) {
  if (port.starts_with("tcp:")) {
    constexpr Duration kConnect{10'000};
    Result<HostPort> where = parse_host_port(std::string_view(port).substr(4));
    if (!where) return std::move(where).error().in_stage(Stage::port);
    Result<UniqueFd> fd = connect_tcp(where->host, where->port, "", steady_now() + kConnect);
    if (!fd) {
      Error error = std::move(fd).error();
      error.code = Errc::no_device;
      error.stage = Stage::port;
      return error;
    }
    return stream_of(std::move(*fd));
  }
  std::error_code failure;
  const std::filesystem::path device = std::filesystem::canonical(port, failure);
  if (failure) {
    Error error = system_error(failure.value(), port, Errc::no_device).in_stage(Stage::port);
    if (error.code == Errc::not_found) error.code = Errc::no_device;
    return error;
  }
  if (is_serial_port(device)) {
    LONGLINE_TRY(std::unique_ptr<SerialPort> serial, SerialPort::open(device, settings));
    return std::unique_ptr<ByteStream>(std::move(serial));
  }
  LONGLINE_TRY(std::unique_ptr<TtyStream> tty, TtyStream::open(device));
  return std::unique_ptr<ByteStream>(std::move(tty));
}

}  // namespace longline::sys
