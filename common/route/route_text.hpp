// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/result.hpp"
#include "route/route.hpp"

namespace longline::route {

/// A route that an operator wants, and the place where he wrote it (the names of files are in ParsedRoutes::sources).
struct Wanted {
  Route route{};
  std::uint32_t source = 0;   ///< index into ParsedRoutes::sources
  int line = 0;               ///< from 1
  int column = 0;             ///< of the prefix, from 1
};

/// The outcome of reading: all routes that could be understood, in order, and everything that is wrong with the rest.
struct ParsedRoutes {
  std::vector<Wanted> routes;
  std::vector<Diagnostic> diagnostics;   ///< at most kMostDiagnostics
  std::vector<SourceText> sources;

  bool ok() const { return !has_errors(diagnostics); }
  Where where(const Wanted& wanted) const;
  /// All diagnostics with their carets, ready for stderr.
  std::string rendered(bool colour) const;
};

inline constexpr std::size_t kMostDiagnostics = 20;
inline constexpr std::size_t kLongestLine = 1024;   ///< bytes; a route needs less than 200
inline constexpr int kDeepestInclude = 8;
inline constexpr std::size_t kMostBytes = 128 << 20;   ///< of a file with all that it includes
inline constexpr std::size_t kMostLines = 2'000'000;   ///< likewise

/// Fetches an included file; the path is the including file's folder and the name put together.
using ReadInclude = std::function<Result<std::string>(const std::string& path)>;

/// A selection names a route for `del`: it needs no next hop.
enum class Completeness { whole, selection };

/// Reads one route from a line without its line end. nullopt: the line is empty, a comment, or wrong, and then
/// `diagnostics` has grown. Exactly one error a line is reported: the first.
std::optional<Wanted> parse_route_line(std::string_view line, int line_number, const std::string& file,
                                       std::vector<Diagnostic>& diagnostics, Completeness completeness = Completeness::whole);

/// Does the route have everything that the selection says? A selection without a metric takes any, one of kind unicast
/// any kind.
bool matches(const Route& selection, const Route& route);

/// Reads a whole file of routes: one a line, `#` comments, `include FILE`. Reports lines that name the same prefix,
/// metric and table twice, since the kernel holds one of them only.
ParsedRoutes parse_routes(const std::string& file, std::string text, const ReadInclude& read_include);

}  // namespace longline::route
