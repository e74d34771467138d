// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace longline::script {

/// The caret and escape sequences of a .scp string, translated to the bytes of the line: ^c with c in '@'…'_' or
/// 'a'…'z' is a control character, <cr> and <lf> (in any case), \" \^ \< \\ are the characters themselves. Everything
/// else stands for itself.
std::string translate_escapes(std::string_view value);

/// The shortest .scp text that transmits (or waits for) exactly these bytes when it is translated; without quotes.
/// Bytes from 0x80 stand as they are.
std::string to_escapes(std::string_view bytes);

}  // namespace longline::script
