// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "x400/or_name.hpp"

namespace longline::x400 {

/// The management domain in which Internet addresses stand, and the Internet domain in which O/R names stand (RFC 2156, 4.3 and 4.4).
struct AddressMapping {
  std::string country = "WW";
  std::string admd = " ";
  std::string prmd;
  std::string gateway_domain;   ///< our mail name, in lower case: "/S=Smith/O=Acme/"@gateway.example is an O/R name
};

/// Characters that a PrintableString cannot hold, "_" and the parentheses as "(a)" for @, "(b)" !, "(p)" %, "(q)" ", "(u)" _, "(l)" (, "(r)" ),
/// others "(ddd)" in decimal (RFC 2156, 3.4). Bytes above 127 are encoded so as well. And back; what is no such group stays.
std::string encode_printable(std::string_view text);
std::string decode_printable(std::string_view text);

/// The O/R name of a mailbox of the envelope (as mail::to_string() prints it, without brackets; "" the null sender): domain attribute RFC-822,
/// continued in RFC822C1 to RFC822C3 every 128 characters (RFC 2156, 4.3.1). The null sender is the mailbox "<>". A mailbox in the gateway's domain whose
/// local part begins with "/" is that O/R name, in the mapping's management domain where it names none.
/// Errc::refused: bytes above 127 (RFC 6531), or longer than 512 characters when encoded. Errc::malformed: the gateway's local part is not an O/R name.
Result<OrName> to_or_name(std::string_view mailbox, const AddressMapping& mapping);

/// The mailbox of an O/R name; "" for the null sender's. Without a domain attribute RFC-822: the O/R name in the gateway's domain, without the
/// management domain where it is the mapping's. Errc::malformed: what RFC-822 holds is not an address; Errc::refused: it would be longer
/// than an address may be (254 bytes).
Result<std::string> to_mailbox(const OrName& name, const AddressMapping& mapping);

}  // namespace longline::x400
