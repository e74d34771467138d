// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace longline::sys {

/// What a USB device says of itself. Text is the device's own: escape it before it is shown.
struct UsbIdentity {
  std::string vendor;          ///< four hexadecimal digits
  std::string product;
  std::string manufacturer;    ///< "" where the device is silent, as with the next two
  std::string description;
  std::string serial;
};

struct SerialPortInfo {
  std::string device;          ///< "/dev/ttyUSB0"
  std::string by_id;           ///< "/dev/serial/by-id/…", the name that stays; "" without one
  std::string driver;          ///< "ftdi_sio"; "" when not known
  std::optional<UsbIdentity> usb;
};

/// The serial ports of this host with a device behind them, in the order of their names, from sysfs: nothing is opened, as that would
/// raise DTR (and libserialport, which opens the ports of an 8250, misses those that somebody holds).
std::vector<SerialPortInfo> list_serial_ports();

}  // namespace longline::sys
