// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>

#include "base/diagnostic.hpp"

namespace longline::script {

inline constexpr std::size_t kLargestScript = 1024 * 1024;

/// What is no script in any language: more than 1 MiB, UTF-16, a NUL byte. The error, or
/// nullopt. `nul_fix`: how the language writes a NUL.
std::optional<Diagnostic> refuse_source(const SourceText& source, const char* nul_fix);

}  // namespace longline::script
