// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::mail {

/// "utf-8" for bytes that are, else "unknown-8bit" (RFC 1428).
std::string_view charset_of(std::string_view text);

/// A header block in seven bits: 8-bit words become encoded words (RFC 2047), in fields of addresses only in names and comments, in parameters of
/// Content-Type and Content-Disposition they take the form of RFC 2231; fields without 8-bit bytes stay as they are.
/// `drop_encoding`: without Content-Transfer-Encoding, where another one follows. Errc::refused: an address is not ASCII.
Result<std::string> seven_bit_header(std::string_view header, bool drop_encoding);

/// A display name for an address field: an atom phrase as it is, otherwise a quoted string, 8-bit text as encoded words.
/// Control characters become blanks.
std::string phrase(std::string_view name);

}  // namespace longline::mail
