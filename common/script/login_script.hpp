// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/time.hpp"
#include "script/chat/parser.hpp"
#include "script/scp/script.hpp"

/// A login script in either language.
namespace longline::script {

/// What a machine runs; never null.
using LoginProgram = std::variant<std::shared_ptr<const scp::Program>, std::shared_ptr<const chat::Program>>;

/// Does it use $USERID, $PASSWORD? Then the caller has to have one before it calls.
bool needs_user(const LoginProgram& program);
bool needs_password(const LoginProgram& program);

using LoginScript = std::variant<ParsedScript, chat::Parsed>;

/// The language is told by the name: *.chat (in any case) is chat(8)'s, and what has neither that ending nor .scp, but begins as chat scripts do.
bool is_chat(std::string_view name);
LoginScript parse_login_script(std::string name, std::string text);

const SourceText& source_of(const LoginScript& script);
const std::vector<Diagnostic>& findings_of(const LoginScript& script);
/// Only of a script without errors.
LoginProgram program_of(const LoginScript& script);

/// The findings of the parser and those of the lint, by place. `deadline`: the one that the run is going to have.
std::vector<Diagnostic> check(const LoginScript& script, Duration deadline);

}  // namespace longline::script
