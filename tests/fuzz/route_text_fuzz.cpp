// SPDX-License-Identifier: MIT
// Files of routes: whatever is accepted is printed in a form that is read back as the same routes.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "route/route_text.hpp"

using namespace longline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto include = [&](const std::string& path) -> Result<std::string> {
    if (path.size() % 3 == 0) return Error(Errc::not_found, path);
    return text.substr(0, size / 2);
  };
  const route::ParsedRoutes parsed = route::parse_routes("routes", text, include);
  static_cast<void>(parsed.rendered(false));
  for (const route::Wanted& wanted : parsed.routes) {
    std::vector<Diagnostic> diagnostics;
    const auto again = route::parse_route_line(to_string(wanted.route), 1, "again", diagnostics);
    assert(again && diagnostics.empty() && again->route == wanted.route);
  }
  return 0;
}
