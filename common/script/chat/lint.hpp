// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "script/chat/parser.hpp"
#include "script/lint_options.hpp"

namespace longline::script::chat {

/// What chat(8) takes without a word and what will cost a call one night; each finding a warning or a note with a code of its own, see
/// chatrun(1). A script with errors has none: they come first.
std::vector<Diagnostic> lint(const Parsed& script, const LintOptions& options = {});

}  // namespace longline::script::chat
