// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "script/chat/program.hpp"

namespace longline::script::chat {

/// A word of a script file: a line has words between blanks, or between quotes; # in column 1 begins a comment.
struct Token {
  std::string text;            ///< without the quotes; a backslash and the next character stay as they are
  std::size_t offset = 0;      ///< with the quotes
  std::size_t length = 0;
  bool quoted = false;
  bool closed = true;          ///< its quote has an end
};

struct Parsed {
  std::shared_ptr<const SourceText> source;
  std::vector<Diagnostic> diagnostics;
  std::vector<Token> tokens;
  std::shared_ptr<const Program> program;   ///< never null; one with errors ends in Step::Kind::unterminated
};

/// Reads a script file. Limit: 1 MiB; what is no text (UTF-16, NULs) is an error and has no steps.
Parsed parse(std::string name, std::string text);
/// The script as the arguments of a command line.
Parsed parse_arguments(const std::vector<std::string>& arguments);

/// "ABORT", "TIMEOUT", …: nullopt if the word is none. Keywords are told by their letters and their case.
std::optional<Step::Kind> keyword(std::string_view word);
const std::vector<std::string_view>& keywords();

}  // namespace longline::script::chat
