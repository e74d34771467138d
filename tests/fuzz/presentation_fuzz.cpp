// SPDX-License-Identifier: MIT
// Presentation, association control, reliable transfer and bind APDUs from a hostile peer. What is read is written and read again: the same.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "x400/acse.hpp"
#include "x400/mts_bind.hpp"
#include "x400/presentation.hpp"
#include "x400/rtse.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

/// What decode() makes of the bytes it makes also of what encode() writes.
template <class Decode, class Encode>
void same_again(std::string_view input, Decode decode, Encode encode) {
  const auto first = decode(input);
  if (!first) {
    assert(first.error().code == Errc::malformed || first.error().code == Errc::auth_refused);
    assert(first.error().what.find('\n') == std::string::npos);
    return;
  }
  const std::string written = encode(*first);
  const auto second = decode(written);
  assert(second);
  assert(encode(*second) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 12) {
    case 0: same_again(input, decode_user_data, encode_user_data); break;
    case 1:
      if (const auto segment = decode_segment(input)) {
        assert(segment->bytes.size() <= input.size());
        assert(decode_segment(encode_segment(segment->context, segment->bytes))->bytes == segment->bytes);
      }
      break;
    case 2:
      if (const auto connect = decode_connect(input); connect && connect->normal_mode) same_again(input, decode_connect, encode_connect);
      break;
    case 3:
      if (const auto accept = decode_accept(input); accept && accept->normal_mode) same_again(input, decode_accept, encode_accept);
      break;
    case 4: same_again(input, decode_refuse, encode_refuse); break;
    case 5:
      if (const auto abort = decode_abort(input); abort && (abort->by_provider || !abort->user_data.empty())) same_again(input, decode_abort, encode_abort);
      break;
    case 6: same_again(input, decode_acse, encode_acse); break;
    case 7: same_again(input, decode_open, encode_open); break;
    case 8: same_again(input, decode_open_accept, encode_open_accept); break;
    case 9: same_again(input, decode_open_refuse, encode_open_refuse); break;
    case 10: same_again(input, decode_transfer_abort, encode_transfer_abort); break;
    default:
      same_again(input, decode_bind, encode_bind_argument);
      same_again(input, decode_bind_error, [](std::int64_t error) { return encode_bind_error(static_cast<BindError>(error)); });
      if (const auto priority = decode_turn_priority(input)) assert(decode_turn_priority(encode_turn_priority(*priority)).value() == *priority);
      break;
  }
  return 0;
}
