// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"

namespace longline::script {

namespace scp {
struct Program;
struct File;
}  // namespace scp

/// A login script in the language of Windows dial-up networking (.scp), parsed and checked: scp(5).
struct ParsedScript {
  std::shared_ptr<const SourceText> source;        ///< for render() of the diagnostics
  std::vector<Diagnostic> diagnostics;             ///< by place; errors, warnings and notes of parser and checker
  std::shared_ptr<const scp::File> file;           ///< the syntax tree, also of a script with errors; never null
  std::shared_ptr<const scp::Program> program;     ///< what ScpMachine runs; null if there is an error
};

/// `name` is how diagnostics call the file. Never fails: what is wrong with the text is in the diagnostics, all of it,
/// up to 1000 findings. Limits: 1 MiB, literals of 64 KiB, nesting of 64.
ParsedScript parse_scp(std::string name, std::string text);

/// Does the program use $USERID, $PASSWORD? Then the caller has to have one before it calls.
bool needs_user(const scp::Program& program);
bool needs_password(const scp::Program& program);

}  // namespace longline::script
