// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "route/plan.hpp"

namespace longline::route {

/// An `apply --confirm` that nobody has confirmed yet, as it is written down for whoever comes when its time is over. Times
/// count from boot, also while the machine sleeps: clocks that are wrong, or set meanwhile, do not matter.
struct Confirmation {
  std::string id{};             ///< of this one apply
  std::string boot{};           ///< boot id: the kernel's routes are gone with the boot
  Duration deadline{};          ///< since boot
  Duration limit{};             ///< how long it was to wait
};

enum class Standing { waits, due, void_ };
/// `void_`: of another boot. A deadline further away than the limit is due as well: then the clock was another one.
Standing standing(const Confirmation& confirmation, std::string_view boot, Duration since_boot);

/// One line, and back; nullopt for anything else.
std::string to_string(const Confirmation& confirmation);
std::optional<Confirmation> parse_confirmation(std::string_view text);

/// The kernel's own routes as they are, as a file of routes: in the words of `in_force` where those asked for them, with
/// the routes of `in_force` that wait; others as the kernel has them. Errc::route_refused for a route that cannot be said.
Result<std::string> table_before(const std::vector<Wanted>& in_force, const Resolved& resolved, const KernelState& kernel);

}  // namespace longline::route
