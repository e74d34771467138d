// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "base/diagnostic.hpp"
#include "script/scp/ast.hpp"
#include "script/scp/lexer.hpp"

namespace longline::script::scp {

struct Parsed {
  File file;
  std::vector<Diagnostic> diagnostics;
  bool complete = true;   ///< false: given up, the tree ends early
};

/// Builds the tree and reports every error of syntax: after each it goes on at the next command, and a block that is
/// not closed is reported at the line that opened it. Recursion is bounded (limits.hpp).
Parsed parse(const SourceText& source, const std::vector<Token>& tokens);

}  // namespace longline::script::scp
