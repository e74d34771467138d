// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "script/scp/lint.hpp"

namespace longline::script {

struct Fixed {
  std::string text;                  ///< the script as it is now
  std::vector<Diagnostic> repaired;  ///< the findings that are gone, with their places in the text as it was when they were found
  ParsedScript script;               ///< of the new text, with its findings and those of the lint
};

/// Repairs what can be repaired without knowing the host: closes blocks, adds `until`, tests of $SUCCESS and `raw`, spells names one way.
/// Comments and layout stay as they are. A script with other errors than blocks that are not closed is left alone.
Fixed fix(const std::string& name, std::string text, const LintOptions& options = {});

}  // namespace longline::script
