// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "route/plan.hpp"

namespace longline::sys {

/// Interfaces and routes of this network namespace, both families, as they are now.
Result<route::KernelState> read_kernel_state();

/// The addresses of all interfaces.
Result<std::vector<route::InterfaceAddress>> read_addresses();

/// What the kernel would do with a packet. `from`: the source address that a program bound, or none.
struct Lookup {
  int error = 0;                  ///< errno for the sender: no route, unreachable, prohibited; 0: it goes
  route::KernelRoute way{};       ///< gateway, interface and source address that it takes
  std::optional<route::KernelRoute> entry{};  ///< the entry of the table that says so
};
Result<Lookup> lookup_route(const route::IpAddress& address, const route::IpAddress& from);

/// Asks the kernel what it would say to these routes as things stand, and changes nothing. Returns those that it would
/// refuse, by position; none without the right to change routes.
struct Verdict {
  std::size_t route = 0;
  int error = 0;              ///< errno
  std::string text;           ///< the kernel's own words; may be empty
};
Result<std::vector<Verdict>> try_routes(const std::vector<const route::KernelRoute*>& routes);

/// Carries out what can be: a step that is refused does not keep the others back. Returns those that were refused (a
/// route to delete that is gone already is none).
struct StepRefusal {
  std::size_t step = 0;
  int error = 0;              ///< errno
  std::string text;           ///< the kernel's own words; may be empty
};
Result<std::vector<StepRefusal>> commit_each(const std::vector<route::Step>& steps);

/// What became of a transaction that the kernel refused.
struct RefusedStep {
  const route::Step* step = nullptr;
  int error = 0;              ///< errno
  std::string text;           ///< the kernel's own words; may be empty
  std::string not_restored;   ///< empty: the table is as it was; else what could not be put back
};

/// Carries all steps out, or none: when one is refused, those before it are undone in reverse order. rtnetlink has no
/// transactions, so others see what is in between, for some milliseconds. Signals that would end the process wait
/// until it is over. An Error: the kernel's verdict is not known (what was sent is undone then too).
Result<std::optional<RefusedStep>> commit(const std::vector<route::Step>& steps);

}  // namespace longline::sys
