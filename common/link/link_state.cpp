// SPDX-License-Identifier: MIT
#include "link/link_state.hpp"

#include <array>

namespace longline::link {
namespace {

constexpr std::array<std::string_view, 7> kNames = {"down", "dialing", "login", "network", "up", "closing", "unreachable"};

}  // namespace

std::string_view to_string(LinkState state) { return kNames[static_cast<std::size_t>(state)]; }

std::optional<LinkState> link_state_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<LinkState>(i);
  }
  return std::nullopt;
}

}  // namespace longline::link
