// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// A network interface whose packets come to us: a TUN device, up, without an address. It goes with the object, and with the process
/// however that ends, and the kernel takes the routes on it away with it.
class Tun {
 public:
  /// `name`: 1 to 15 bytes. Errc::cannot_create when an interface of that name exists, permission, os when the kernel has no TUN.
  static Result<Tun> create(const std::string& name);

  int fd() const { return fd_.get(); }
  const std::string& name() const { return name_; }
  std::uint32_t index() const { return index_; }
  /// The next packet that waits, IPv4 or IPv6, without any header before it; nullopt when none does.
  Result<std::optional<std::string>> read();

 private:
  Tun(UniqueFd fd, std::string name, std::uint32_t index) : fd_(std::move(fd)), name_(std::move(name)), index_(index) {}
  UniqueFd fd_;
  std::string name_;
  std::uint32_t index_;
};

/// A link's name as the name of an interface: what the kernel or ip(8) would stumble over becomes '-', and the rest behind 15 bytes is
/// cut off.
std::string interface_name(std::string_view link);

}  // namespace longline::sys
