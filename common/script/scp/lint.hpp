// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "script/lint_options.hpp"
#include "script/scp/script.hpp"

namespace longline::script {

/// What is allowed and yet will cost a call one night; each finding a warning with a code of its own, see chatrun(1). A script with errors has
/// none: they come first.
std::vector<Diagnostic> lint(const ParsedScript& script, const LintOptions& options = {});

}  // namespace longline::script
