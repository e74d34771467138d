// SPDX-License-Identifier: MIT
// pppd's log holds what the peer says (CHAP's messages, names): read, bounded, shown without control characters, the same at every split.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <string>

#include "link/ppp_log.hpp"

using namespace longline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t at = std::min<std::size_t>(data[0], text.size());
  link::PppLog whole, split;
  whole.feed(text);
  split.feed(text.substr(0, at));
  split.feed(text.substr(at));
  assert(whole.facts().interface == split.facts().interface && whole.facts().local == split.facts().local);
  for (const int status : {0, 2, 10, 16, 19, 139}) {
    const std::optional<Error> error = whole.error(status), other = split.error(status);
    assert(error.has_value() == other.has_value());
    if (!error) continue;
    assert(error->what == other->what && error->what.size() < 500);
    assert(std::none_of(error->what.begin(), error->what.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  }
  return 0;
}
