// SPDX-License-Identifier: MIT
#include "sys/network/forwarding.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "sys/network/route_table.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

std::string setting(const std::string& interface) { return "/proc/sys/net/ipv4/conf/" + interface + "/forwarding"; }

bool is_on(const std::string& interface) {
  const UniqueFd fd(::open(setting(interface).c_str(), O_RDONLY | O_CLOEXEC));
  char value = '0';
  return fd && ::read(fd.get(), &value, 1) == 1 && value != '0';
}

}  // namespace

bool forward_packets_of(const std::string& interface, bool forward) {
  const UniqueFd fd(::open(setting(interface).c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), forward ? "1" : "0", 1) == 1;
}

Forwarding Forwarding::between(const std::string& interface) {
  Forwarding out;
  const Result<route::KernelState> kernel = read_kernel_state();
  if (!kernel) return out;
  std::set<std::uint32_t> uplinks;
  for (const route::KernelRoute& route : kernel->routes) {
    if (route.to.length == 0 && route.to.address.family == route::Family::ipv4) uplinks.insert(route.interface);
  }
  const auto turn_on = [&](const std::string& name) {
    if (!is_on(name) && forward_packets_of(name, true)) out.changed_.push_back(name);
  };
  turn_on(interface);
  struct Free {
    void operator()(struct if_nameindex* list) const { ::if_freenameindex(list); }
  };
  const std::unique_ptr<struct if_nameindex, Free> names(::if_nameindex());
  for (const struct if_nameindex* one = names.get(); one != nullptr && one->if_index != 0; ++one) {
    const route::Interface* known = kernel->interfaces.numbered(one->if_index);
    if (known == nullptr || !known->up || known->name == "lo" || uplinks.contains(one->if_index)) continue;
    turn_on(known->name);
  }
  return out;
}

Forwarding& Forwarding::operator=(Forwarding&& other) noexcept {
  std::swap(changed_, other.changed_);
  return *this;
}

Forwarding::~Forwarding() {
  for (const std::string& interface : changed_) forward_packets_of(interface, false);
}

}  // namespace longline::sys
