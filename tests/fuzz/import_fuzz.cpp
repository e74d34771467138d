// SPDX-License-Identifier: MIT
// Whatever the phonebook holds: what is written is a configuration without errors, and has the links that it says.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/config.hpp"
#include "config/import.hpp"

using namespace longline;
using namespace longline::config;

namespace {

void check(const Result<Imported>& imported) {
  if (!imported) return;
  const ParsedConfig parsed = parse_config({{"/f.toml", imported->toml}});
  if (has_errors(parsed.diagnostics)) std::abort();
  if (parsed.config.links.size() != imported->links.size()) std::abort();
  for (const std::string& name : imported->links) {
    if (parsed.config.find_link(name) == nullptr) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)guess_import_format("f", text);
  check(import_rasphone(text));
  check(import_wvdial(text));
  return 0;
}
