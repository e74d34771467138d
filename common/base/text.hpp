// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }                                          ///< ASCII only
constexpr bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }                          ///< not ASCII
/// ASCII's: below the blank, and DEL. Those of Latin-1 begin no character of UTF-8: escape() finds them.
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::string_view trim(std::string_view text);                       ///< without spaces, tabs, CR and LF at both ends
std::string to_lower(std::string_view text);                        ///< ASCII only
std::string to_upper(std::string_view text);                        ///< ASCII only
bool iequals(std::string_view a, std::string_view b);               ///< ASCII only
bool has_high(std::string_view bytes);                              ///< a byte that is not ASCII
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view first_word(std::string_view text);                 ///< up to the first blank or tab
/// Decimal, the whole text, nothing else; nullopt otherwise, also on overflow.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// What came from a modem, a peer, a script or a spool, made safe for a terminal and a log: control characters, DEL,
/// and bytes that are not UTF-8 become \r, \n, \t or \xHH; a backslash becomes \\. C1 controls (U+0080…U+009F) and
/// the bidirectional controls are escaped too. One line out, whatever went in.
std::string escape(std::string_view bytes);
/// The same between double quotes, with \" for a quote: the form of transcripts.
std::string quote(std::string_view bytes);
/// At most `most` bytes of escape(bytes), with "…" where it was cut; never cuts an escape or a UTF-8 sequence.
std::string escape_at_most(std::string_view bytes, std::size_t most);
/// The same for text that may be escaped already, such as an error's: backslashes stay.
std::string printable_at_most(std::string_view text, std::size_t most);

/// The candidate that a human most likely meant, by edit distance (at most a third of the word, at least one edit);
/// nullopt when none is near.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Bytes of the first character of a text that is not empty: a well-formed UTF-8 sequence, or one byte that begins none.
std::size_t character_length(std::string_view text);

/// "200k", "5M", "1.5GiB", "4096": bytes; k is 1000, Ki is 1024. What is less than a byte of a fraction is left out. Errc::malformed
/// otherwise.
Result<std::int64_t> parse_size(std::string_view text);
std::string format_size(std::int64_t bytes);                        ///< "2.2 kB", "5.2 MB", "17 B"

}  // namespace longline
