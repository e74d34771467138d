// SPDX-License-Identifier: MIT
#include <cstdint>

#include "config/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longline;
  const config::ParsedConfig parsed = config::parse_config({{"/f.toml", {reinterpret_cast<const char*>(data), size}}});
  for (const Diagnostic& d : parsed.diagnostics) render(d, parsed.sources.front());
  return 0;
}
