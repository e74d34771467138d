// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace longline::link {

enum class LinkState { down, dialing, login, network, up, closing, unreachable };

std::string_view to_string(LinkState state);   ///< "dialing": the state member of status --json
std::optional<LinkState> link_state_from_name(std::string_view name);

/// The call that is under way, or was the last.
struct CallFacts {
  std::string number;                 ///< as dialled; empty before the first attempt and without a modem
  std::string connect;                ///< the modem's CONNECT line, escaped
  std::optional<std::int64_t> rate() const;   ///< bit/s, as that line tells it: of the line, or of the port, as the modem pleases
  std::optional<TimePoint> started;   ///< of the connection
  std::int64_t bytes_in = 0;          ///< since CONNECT, login included
  std::int64_t bytes_out = 0;
  int attempts = 0;                   ///< dial commands so far
  std::optional<int> signal_dbm{};    ///< of a cellular modem, before the last dial command: -113…-51
};

}  // namespace longline::link
