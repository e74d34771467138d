// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "sys/state_paths.hpp"

namespace longline::sys {

/// Session tickets that peers gave us, kept from one run to the next so that the handshake of the next call is short (RFC 8446, 2.2;
/// 5077). One file a peer in a folder of their own beside the ledger, mode 0600: who has a ticket can be us for as long as it is valid.
/// A cache: nothing here fails, what cannot be kept is not. At most 64 files; what is older than a week, the longest that a ticket
/// may live, goes.
std::string ticket_file(const StatePaths& paths, std::string_view connector, std::string_view key);

/// "" when there is none, or none of this key: another host, authority or certificate behind the same connector.
std::string read_ticket(const std::string& file, std::string_view key);
void keep_ticket(const std::string& file, std::string_view key, std::string_view ticket);
void drop_ticket(const std::string& file);

}  // namespace longline::sys
