// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"

namespace longline::script::scp {

enum class TokenKind {
  end, integer, string, name, system_name, keyword,
  comma, colon, assign, open, close,
  plus, minus, star, slash, bang,
  less, greater, less_equal, greater_equal, equal, not_equal,
};

/// The reserved words; compared without case.
enum class Keyword {
  none,
  and_, boolean, databits, delay, do_, endif, endproc, endwhile, even, false_, getip, goto_, halt, if_, integer, ipaddr,
  keyboard, mark, matchcase, none_, odd, off, on, or_, parity, port, proc, raw, screen, set, space, stopbits, string,
  then, transmit, true_, until, waitfor, while_,
};

struct Token {
  TokenKind kind = TokenKind::end;
  Keyword keyword = Keyword::none;
  bool starts_line = false;      ///< the first token of its line: where the parser finds its feet again
  std::size_t offset = 0;        ///< in the text
  std::size_t length = 0;
  std::int64_t integer = 0;
};

struct Lexed {
  std::vector<Token> tokens;     ///< the last one is `end`
  std::vector<Diagnostic> diagnostics;
  bool hopeless = false;         ///< not a script at all (UTF-16, NULs, too large): do not parse
};

/// Cuts a text into tokens. Bytes that start no token are reported and skipped; a literal that is not closed ends
/// with its line. Never reads past the text.
Lexed lex(const SourceText& source);

/// The value of a string token: the characters between the quotes as they were written, but \" is a quote.
std::string literal_value(std::string_view token_text);

/// "endif" for Keyword::endif.
std::string_view to_string(Keyword keyword);
/// Keyword::none if the word is not reserved.
Keyword keyword_of(std::string_view word);
/// "a string", "'endif'", "the end of the file": for messages.
std::string describe(const Token& token, std::string_view text);

}  // namespace longline::script::scp
