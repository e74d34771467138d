// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace longline::modem {

/// An LCP Terminate-Request (RFC 1661, 5.5) as it goes over an asynchronous line: flags, escapes for every control character, FCS-16
/// (RFC 1662). For a modem, or a peer behind it, that still believes in a PPP session that nobody on our side knows of.
std::string lcp_terminate_request(std::uint8_t identifier);

}  // namespace longline::modem
