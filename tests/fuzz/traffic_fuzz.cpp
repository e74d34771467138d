// SPDX-License-Identifier: MIT
// Packets from a network that nobody guards: read, and judged the same when the line pads them.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "link/traffic.hpp"

using namespace longline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string packet(reinterpret_cast<const char*>(data), size);
  const auto facts = link::read_packet(packet);
  assert(link::is_real_traffic(packet) == (facts && facts->real));
  if (!facts) return 0;
  const auto padded = link::read_packet(packet + '\0');
  assert(padded && padded->real == facts->real && padded->destination_port == facts->destination_port);
  return 0;
}
