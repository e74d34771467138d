// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace longline::x400 {

/// T.61 (TeletexString) as UTF-8: its diacritics stand before their letter and become combining characters behind it. Bytes that mean nothing become "?".
/// Control characters other than line ends and tabs are dropped.
std::string from_teletex(std::string_view text);

/// UTF-8, or any bytes, for a field that holds T.61: letters of Latin-1 with their diacritics, other characters as "?".
std::string to_teletex(std::string_view text);

}  // namespace longline::x400
