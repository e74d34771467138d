// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::x400 {

inline constexpr std::size_t kTpktHeader = 4;
inline constexpr std::size_t kLongestTpdu = 65535 - kTpktHeader;

/// One TPDU in its packet (RFC 1006, 6): version 3, a zero, the length of the whole in two octets. `tpdu`: 3 to kLongestTpdu octets.
std::string tpkt(std::string_view tpdu);

/// Cuts a stream into the TPDUs of its packets. Holds one packet at most. The reserved octet is not looked at: Exchange 4.0 sent
/// anything there (Q157015).
class TpktReader {
 public:
  /// Takes from the front of `in` what belongs to the packet under way: a TPDU when it is whole, nullopt when `in` is used up before.
  /// Errc::protocol for another version or a length below 7 (no TPDU is shorter than 3 octets); the reader is of no use then.
  Result<std::optional<std::string>> next(std::string_view& in);
  /// Octets of a packet that is not whole.
  std::size_t pending() const { return packet_.size(); }

 private:
  std::string packet_;
};

}  // namespace longline::x400
