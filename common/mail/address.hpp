// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline::mail {

/// A mailbox of the envelope (RFC 5321, 4.1.2). The local part is its meaning, without quotes; its case is kept. The
/// domain is in lower case; an address literal keeps its brackets ("[192.0.2.7]", "[ipv6:2001:db8::1]").
struct Address {
  std::string local;
  std::string domain;  ///< "" only for an address that nobody has qualified yet
  bool operator==(const Address&) const = default;
};

/// "alice@example.com", "\"two words\"@example.com": what parse_address() reads back as the same address.
std::string to_string(const Address& address);
/// Bytes above 127 in either part: the peer must know SMTPUTF8 (RFC 6531).
bool needs_smtputf8(std::string_view address);

/// A mailbox as a user or a peer writes it, with or without angle brackets. A local part alone ("root") gets
/// `default_domain`, or is refused where that is empty. A source route is ignored (RFC 5321, appendix F.2); dots where
/// RFC 5321 has none ("a..b") are let through and quoted. Errc::malformed says what is wrong: two @, longer than 254 bytes
/// (local part 64, label 63), control characters, empty parts.
Result<Address> parse_address(std::string_view text, std::string_view default_domain = {});

/// A reverse-path for the envelope: "" and "<>" are the null sender (nullopt), otherwise as parse_address().
Result<std::optional<Address>> parse_reverse_path(std::string_view text, std::string_view default_domain = {});

/// The mailboxes of an address header field (RFC 5322, 3.4, with the obsolete forms): display names, comments, groups
/// and folding are skipped. An empty list is allowed. Errc::malformed names the entry that is not an address.
Result<std::vector<Address>> parse_address_list(std::string_view field_body, std::string_view default_domain = {});

/// How specifically a connector's pattern names a domain: "example.com" itself beats "*.example.com" (any depth below
/// example.com, not itself), longer beats shorter, "*" is last with 0. nullopt: no match. ASCII case is ignored.
std::optional<int> match_domain(std::string_view pattern, std::string_view domain);

}  // namespace longline::mail
