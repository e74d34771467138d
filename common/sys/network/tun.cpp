// SPDX-License-Identifier: MIT
#include "sys/network/tun.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"

namespace longline::sys {
namespace {

constexpr const char* kDevice = "/dev/net/tun";

Error taken(const std::string& name) {
  return Error(Errc::cannot_create, fmt::format("there is a network interface '{}' already", escape(name)), Stage::route)
      .with_hint("another dialctl demand for this link? Otherwise choose another name: dialctl demand --interface NAME");
}

Result<void> bring_up(const std::string& name) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return system_error(errno, "socket", Errc::os);
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return system_error(errno, name, Errc::os);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return system_error(errno, name, Errc::os);
  return {};
}

}  // namespace

std::string interface_name(std::string_view link) {
  std::string name(link.substr(0, IFNAMSIZ - 1));
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '+';
    if (!plain) c = '-';
  }
  // "." and ".." are no names, and "all" and "default" are folders of their own beside those of the interfaces.
  if (name.find_first_not_of('.') == std::string::npos || name == "all" || name == "default") return "link-" + name.substr(0, 8);
  return name;
}

Result<Tun> Tun::create(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ || interface_name(name) != name) {
    return Error(Errc::usage, fmt::format("'{}' is no name of a network interface: 1 to 15 letters, digits, '-', '_', '.', '+'",
                                          escape_at_most(name, 64)), Stage::route);
  }
  if (::if_nametoindex(name.c_str()) != 0) return taken(name);
  UniqueFd fd(::open(kDevice, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const int failure = errno;
    Error error = system_error(failure, kDevice, Errc::os).in_stage(Stage::route);
    if (error.code == Errc::not_found) error.code = Errc::os;
    error.hint = error.code == Errc::os ? "the kernel has no TUN devices: modprobe tun" : "only root may create network interfaces";
    return error;
  }
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    const int failure = errno;
    if (failure == EBUSY || failure == EEXIST) return taken(name);
    return system_error(failure, fmt::format("the network interface {}", name), Errc::os).in_stage(Stage::route);
  }
  LONGLINE_CHECK(bring_up(name));
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return system_error(errno, name, Errc::os).in_stage(Stage::route);
  return Tun(std::move(fd), name, index);
}

Result<std::optional<std::string>> Tun::read() {
  constexpr std::size_t kLargest = 65536;
  std::string packet(kLargest, '\0');
  const ssize_t got = ::read(fd_.get(), packet.data(), packet.size());
  if (got >= 0) {
    packet.resize(static_cast<std::size_t>(got));
    return std::optional(std::move(packet));
  }
  if (errno == EAGAIN || errno == EINTR) return std::optional<std::string>();
  return system_error(errno, fmt::format("the network interface {}", name_), Errc::os).in_stage(Stage::route);
}

}  // namespace longline::sys
