// SPDX-License-Identifier: MIT
// A TSDU with session SPDUs: what is understood is written, and read again as the same.
#include <cassert>
#include <cstdint>
#include <string_view>

#include "x400/spdu.hpp"

using namespace longline;
using namespace longline::x400;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto spdus = decode_tsdu(input, (data[0] & 1) != 0);
  if (!spdus) {
    assert(spdus.error().code == Errc::protocol || spdus.error().code == Errc::malformed);
    return 0;
  }
  assert(!spdus->empty() && spdus->size() <= 2);
  for (const Spdu& spdu : *spdus) {
    const auto bytes = encode_tsdu(spdu);
    assert(bytes);
    const auto again = decode_tsdu(*bytes);
    assert(again && again->size() == 1 && again->front() == spdu);
  }
  return 0;
}
