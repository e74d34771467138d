// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace longline::x400 {

/// TPDUs of the transport protocol class 0 (X.224, 13; RFC 1006). What class 0 has no use for is Errc::protocol.

/// CR, or CC where `confirms`.
struct CotpConnect {
  bool confirms = false;
  std::uint16_t destination = 0;               ///< reference; 0 in a CR
  std::uint16_t source = 0;
  int protocol_class = 0;                      ///< 0…4, of which only 0 is spoken here
  std::optional<std::size_t> tpdu_size{};      ///< octets of a TPDU, header included: 128, 256 … 8192; absent: kLongestTpdu
  std::optional<std::string> calling_selector{};
  std::optional<std::string> called_selector{};
  bool operator==(const CotpConnect&) const = default;
};

/// DR: the answer to a CR that is refused.
struct CotpDisconnect {
  std::uint16_t destination = 0;
  std::uint16_t source = 0;
  int reason = 0;                              ///< X.224, 13.5.3
  bool operator==(const CotpDisconnect&) const = default;
};

/// ER: the peer could not make sense of a TPDU.
struct CotpError {
  std::uint16_t destination = 0;
  int cause = 0;                               ///< X.224, 13.12.3
  bool operator==(const CotpError&) const = default;
};

/// DT: a part of a TSDU, or with `last` its end.
struct CotpData {
  std::string bytes;
  bool last = true;
  bool operator==(const CotpData&) const = default;
};

using CotpTpdu = std::variant<CotpConnect, CotpDisconnect, CotpError, CotpData>;

inline constexpr std::size_t kCotpDataHeader = 3;
inline constexpr std::size_t kLongestSelector = 64;   ///< octets of a transport selector

std::string encode(const CotpConnect& tpdu);
std::string encode(const CotpDisconnect& tpdu);
std::string encode(const CotpError& tpdu);
std::string encode(const CotpData& tpdu);

/// Parameters that are not known are skipped. Errc::protocol: not a TPDU of class 0, or one that is cut short.
Result<CotpTpdu> decode_cotp(std::string_view tpdu);

/// X.224, 13.5.3, in words: "it knows no such transport selector".
std::string_view disconnect_reason(int reason);

}  // namespace longline::x400
