// SPDX-License-Identifier: MIT
#include "sys/port/port_list.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.hpp"

namespace longline::sys {
namespace {

namespace fs = std::filesystem;

constexpr int kMostParents = 12;

std::string attribute(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(256, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  return std::string(trim(text));
}

/// Calls `look` for a device and those that it hangs on, until it says true.
template <class Look>
void each_parent(const fs::path& device, Look look) {
  fs::path at = device;
  for (int i = 0; i < kMostParents && at.has_relative_path(); ++i, at = at.parent_path()) {
    if (look(at)) return;
  }
}

std::string driver_of(const fs::path& device) {
  std::string driver;
  each_parent(device, [&](const fs::path& at) {
    std::error_code failure;
    const fs::path target = fs::read_symlink(at / "driver", failure);
    // "port" and "ctrl" are the kernel's own layers over a UART, from 6.5 on.
    if (failure || target.filename() == "port" || target.filename() == "ctrl") return false;
    driver = target.filename();
    return true;
  });
  return driver;
}

std::optional<UsbIdentity> usb_of(const fs::path& device) {
  std::optional<UsbIdentity> usb;
  each_parent(device, [&](const fs::path& at) {
    std::error_code failure;
    if (!fs::exists(at / "idVendor", failure)) return false;
    usb = UsbIdentity{attribute(at / "idVendor"), attribute(at / "idProduct"), attribute(at / "manufacturer"),
                      attribute(at / "product"), attribute(at / "serial")};
    return true;
  });
  return usb;
}

/// ttyUSB2 before ttyUSB10.
bool comes_before(const SerialPortInfo& a, const SerialPortInfo& b) {
  const auto split_at_number = [](const std::string& name) {
    const std::size_t number = name.find_last_not_of("0123456789") + 1;
    return std::pair(name.substr(0, number), parse_integer(name.substr(number)).value_or(-1));
  };
  return split_at_number(a.device) < split_at_number(b.device);
}

}  // namespace

std::vector<SerialPortInfo> list_serial_ports() {
  std::vector<SerialPortInfo> ports;
  std::error_code failure;
  for (fs::directory_iterator entry("/sys/class/tty", failure), end; !failure && entry != end; entry.increment(failure)) {
    std::error_code none;
    const fs::path device = fs::canonical(entry->path() / "device", none);
    // An 8250 driver has a fixed number of ports; those without a UART have type 0.
    if (none || attribute(entry->path() / "type") == "0") continue;
    ports.push_back({"/dev/" + entry->path().filename().string(), "", driver_of(device), usb_of(device)});
  }
  for (fs::directory_iterator entry("/dev/serial/by-id", failure), end; !failure && entry != end; entry.increment(failure)) {
    std::error_code none;
    const std::string device = fs::canonical(entry->path(), none);
    for (SerialPortInfo& port : ports) {
      if (!none && port.device == device) port.by_id = entry->path();
    }
  }
  std::sort(ports.begin(), ports.end(), comes_before);
  return ports;
}

}  // namespace longline::sys
