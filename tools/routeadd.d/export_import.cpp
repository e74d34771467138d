// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>

#include "base/text.hpp"
#include "route/import.hpp"
#include "routeadd.d/verbs.hpp"
#include "sys/network/route_table.hpp"

namespace longline::routeadd {

Result<ExitStatus> export_routes(const Options& options, const sys::StatePaths& paths) {
  LONGLINE_TRY(const route::ParsedRoutes parsed, read_routes_in_force(paths));
  LONGLINE_TRY(const route::KernelState kernel, sys::read_kernel_state());
  const route::Resolved resolved = route::resolve(parsed.routes, kernel, link_states(parsed.routes, paths));
  route::KeyIndex targets(resolved.targets.size());
  for (std::size_t i = 0; i < resolved.targets.size(); ++i) targets.insert(resolved.targets[i].route.key(), i);
  for (const route::KernelRoute& present : kernel.routes) {
    if (!present.is_own() && !options.all) continue;
    const std::size_t at = present.is_own() ? targets.find(present.key()) : route::KeyIndex::kNone;
    const route::Target* target = at == route::KeyIndex::kNone ? nullptr : &resolved.targets[at];
    if (target != nullptr && target->stand_in) continue;  // fail-fast says it
    const route::Route described = describe(present, kernel.interfaces);
    // A route of ours in the words in which it was wanted: on its link, say.
    const route::Route& said = target != nullptr && satisfies(present, target->route) ? target->wanted->route : described;
    const std::string text = escape(to_string(said));
    constexpr std::uint8_t kKernel = 2, kRedirect = 1, kAdvertised = 9;  // RTPROT_*
    const bool made = present.protocol == kKernel || present.protocol == kRedirect || present.protocol == kAdvertised;
    if (options.common.json) {
      JsonObject out;
      out.set("route", to_string(said)).merge(to_json(said)).set("protocol", route::protocol_name(present.protocol));
      print_line(out.dump());
    } else if (!can_be_said(present)) {
      print_line("# has parts that cannot be said here: " + text);
    } else if (made) {
      print_line("# the kernel makes it itself: " + text);
    } else {
      print_line(text);
    }
  }
  return ExitStatus::ok;
}

Result<ExitStatus> import_routes(const Options& options) {
  const RouteSource source{options.file, true};
  LONGLINE_TRY(const std::string text, read_source(source));
  const std::string name = options.file == "-" ? std::string(kStdinName) : options.file;
  LONGLINE_TRY(const route::Imported imported, route::import_routes(name, text));
  if (!imported.diagnostics.empty()) {
    std::string all;
    for (const Diagnostic& d : imported.diagnostics) all += render(d, SourceText(name, ""), tools::colour_on_stderr());
    all.pop_back();
    return Error(Errc::malformed, std::move(all), Stage::route);
  }
  std::fwrite(imported.text.data(), 1, imported.text.size(), stdout);
  if (imported.left_out > 0 && !options.common.quiet) {
    std::fprintf(stderr, "routeadd: note: %zu of %zu routes are left out; the comments say why\n", imported.left_out,
                 imported.left_out + imported.routes);
  }
  return ExitStatus::ok;
}

}  // namespace longline::routeadd
