// SPDX-License-Identifier: MIT
// What the kernel sends: every decoder on every message; a decoded route is encoded and decoded to the same key.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "route/plan.hpp"

using namespace longline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  route::Interfaces interfaces;
  while (const auto message = route::next_message(rest)) {
    static_cast<void>(route::decode_ack(*message));
    static_cast<void>(route::decode_address(*message));
    if (auto interface = route::decode_interface(*message)) interfaces.add(std::move(*interface));
    auto decoded = route::decode_route(*message);
    if (!decoded) continue;
    static_cast<void>(to_string(*decoded, interfaces));
    std::string bytes;
    route::encode_add(bytes, *decoded);
    decoded->raw = {};
    route::encode_add(bytes, *decoded);
    std::string_view again = bytes;
    const auto raw = route::next_message(again);
    const auto plain = route::next_message(again);
    assert(raw && plain && route::decode_route(*raw));
    const auto back = route::decode_route(*plain);
    // The table may stand in the header and in an attribute, and the metric 0 is not sent: both come back the same.
    assert(back && back->key() == decoded->key() && back->via == decoded->via && back->mtu == decoded->mtu);
  }
  return 0;
}
