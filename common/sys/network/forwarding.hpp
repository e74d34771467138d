// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace longline::sys {

/// Whether packets that arrive on an interface are passed on.
bool forward_packets_of(const std::string& interface, bool forward);

/// While it lives, this host passes IPv4 packets on between one interface and the networks of its others (`forward = true`). Forwarding is a
/// property of the interface on which a packet arrives, so it is turned on there: on the link's interface, and on the others that are up,
/// but for those with a default route, from where nothing is to be passed on. What was on already, or globally, is left as it is.
class Forwarding {
 public:
  Forwarding() = default;
  /// Never fails: returns an object that changed what it could.
  static Forwarding between(const std::string& interface);
  Forwarding(Forwarding&& other) noexcept = default;
  Forwarding& operator=(Forwarding&& other) noexcept;
  ~Forwarding();

 private:
  std::vector<std::string> changed_;
};

}  // namespace longline::sys
