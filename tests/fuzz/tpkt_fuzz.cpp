// SPDX-License-Identifier: MIT
// The octets of a peer to both sides of the transport: packets, TPDUs, units that are put together. Whatever the pieces in which they come.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "x400/transport.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

constexpr std::size_t kLongestTsdu = 500;

std::string run(std::string_view input, bool initiator, std::size_t piece) {
  TransportOptions options;
  options.initiator = initiator;
  options.longest_tsdu = kLongestTsdu;
  Transport transport(options);
  std::string seen;
  bool closed = false;
  const auto drain = [&] {
    while (auto action = transport.next_action()) {
      assert(!closed);
      if (const auto* write = std::get_if<Write>(&*action)) {
        seen += "W" + write->bytes;
      } else if (const auto* open = std::get_if<TransportOpened>(&*action)) {
        assert(open->tpdu_size >= 128 && open->tpdu_size <= 2048);
        seen += "O" + open->calling_selector + "/" + open->called_selector;
        transport.send(std::string(open->tpdu_size, 'x'));
      } else if (const auto* tsdu = std::get_if<TsduArrived>(&*action)) {
        assert(tsdu->bytes.size() <= kLongestTsdu);
        seen += "T" + tsdu->bytes;
      } else {
        closed = true;
        const auto& error = std::get<TransportClosed>(*action).error;
        seen += "C" + (error ? error->what : "");
      }
    }
  };
  transport.start(TimePoint{});
  drain();
  for (std::size_t i = 0; i < input.size(); i += piece) {
    transport.on_bytes(input.substr(i, piece), TimePoint{});
    drain();
    assert(transport.pending() <= kLongestTsdu + 65535);
  }
  transport.on_closed(TimePoint{});
  drain();
  assert(closed && !transport.deadline());
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool initiator = (data[0] & 1) != 0;
  assert(run(input, initiator, std::max<std::size_t>(input.size(), 1)) == run(input, initiator, data[0] / 2 % 16 + 1u));
  if (auto tpdu = decode_cotp(input)) {
    const auto again = decode_cotp(std::visit([](const auto& t) { return encode(t); }, *tpdu));
    assert(again && *again == *tpdu);
  }
  return 0;
}
