// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "script/scp/ast.hpp"

namespace longline::script::scp {

/// $USERID, $PASSWORD, $SUCCESS, $FAILURE
enum class SystemName { userid, password, success, failure };

/// Compared without case; nullopt for any other name.
std::optional<SystemName> system_name(std::string_view name);
Type type_of(SystemName name);
std::string_view to_string(Type type);

/// What the grammar does not say: types, names declared once and before their use, labels, a procedure main. Reports
/// everything once: what is wrong in an operand is not reported again in what surrounds it.
std::vector<Diagnostic> check(const SourceText& source, const File& file);

}  // namespace longline::script::scp
