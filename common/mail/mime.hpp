// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::mail {

/// A copy that a peer without 8BITMIME can take (RFC 6152, 3): 8-bit text parts become quoted-printable, others base64, in
/// every part of a multipart; 8-bit header text becomes encoded words (RFC 2047). A signed or encrypted multipart, and an
/// enclosed message that cannot be changed, give Errc::refused.
Result<std::string> to_seven_bit(std::string_view content);

/// RFC 2045, 6.7 and 6.8, for text in stored form; lines of at most 76 characters.
std::string quoted_printable(std::string_view text);
std::string base64_lines(std::string_view bytes);

}  // namespace longline::mail
