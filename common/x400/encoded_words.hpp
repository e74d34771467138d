// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace longline::x400 {

/// Header text as UTF-8: encoded words (RFC 2047) of UTF-8, ISO 8859-1 and ASCII are decoded, others stay as they are. Control characters become blanks.
std::string decode_words(std::string_view text);

/// Quoted-printable (RFC 2045, 6.7) and base64 (6.8) of a body, as far as they can be read.
std::string decode_quoted_printable(std::string_view text);
std::string decode_base64_lines(std::string_view text);

/// ISO 8859-1 as UTF-8.
std::string from_latin1(std::string_view text);

}  // namespace longline::x400
