// SPDX-License-Identifier: MIT
#include "link/link_state.hpp"

#include <array>

#include "base/text.hpp"

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

std::optional<std::int64_t> CallFacts::rate() const {
  constexpr std::string_view kConnect = "CONNECT ";
  if (!connect.starts_with(kConnect)) return std::nullopt;
  const std::string_view rest = std::string_view(connect).substr(kConnect.size());
  return parse_integer(rest.substr(0, rest.find_first_not_of("0123456789")));
}

}  // namespace longline::link
