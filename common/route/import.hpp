// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/result.hpp"

namespace longline::route {

/// What `ip route show` or `ip -j route show` printed, as a file of routes.
struct Imported {
  std::string text{};                    ///< one route a line; what cannot be said stands as a comment with the reason
  std::size_t routes = 0;
  std::size_t left_out = 0;              ///< routes that became comments
  std::vector<Diagnostic> diagnostics{};  ///< lines that are no routes at all; at most kMostDiagnostics
};

/// Routes that the kernel makes itself (proto kernel, router advertisements) are left out: it will make them again.
/// Which of the two forms it is shows in the first character. Errc::malformed for JSON that is none.
Result<Imported> import_routes(const std::string& file, std::string_view text);

}  // namespace longline::route
