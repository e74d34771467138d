// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace longline {

/// What is wrong with the name of a host or domain (RFC 5321, 4.1.2): labels of letters, digits, '-', '_' and UTF-8, with dots
/// between them. nullopt: nothing.
std::optional<std::string> objection_to_host_name(std::string_view name);

/// "[192.0.2.7]", "[IPv6:2001:db8::1]", "[tag:content]" (RFC 5321, 4.1.3); of an IPv6 address only the alphabet is checked, the
/// peer knows better.
bool is_address_literal(std::string_view text);

}  // namespace longline
