// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::x400 {

/// X.690, 8.1.2.
enum class TagClass : std::uint8_t { universal, application, context, private_use };

struct Tag {
  TagClass tag_class = TagClass::universal;
  std::uint32_t number = 0;  ///< at most kHighestTag when read
  bool operator==(const Tag&) const = default;
};
constexpr std::uint32_t kHighestTag = 0xFFFFF;

constexpr Tag universal(std::uint32_t number) { return {TagClass::universal, number}; }
constexpr Tag application(std::uint32_t number) { return {TagClass::application, number}; }
constexpr Tag context(std::uint32_t number) { return {TagClass::context, number}; }

/// Universal tags (X.680, table 1).
namespace tags {
constexpr Tag kBoolean = universal(1);
constexpr Tag kInteger = universal(2);
constexpr Tag kBitString = universal(3);
constexpr Tag kOctetString = universal(4);
constexpr Tag kNull = universal(5);
constexpr Tag kOid = universal(6);
constexpr Tag kExternal = universal(8);
constexpr Tag kEnumerated = universal(10);
constexpr Tag kSequence = universal(16);
constexpr Tag kSet = universal(17);
constexpr Tag kNumericString = universal(18);
constexpr Tag kPrintableString = universal(19);
constexpr Tag kT61String = universal(20);
constexpr Tag kIa5String = universal(22);
constexpr Tag kUtcTime = universal(23);
constexpr Tag kGeneralizedTime = universal(24);
constexpr Tag kVisibleString = universal(26);
constexpr Tag kGeneralString = universal(27);
constexpr Tag kUniversalString = universal(28);
constexpr Tag kBmpString = universal(30);
}  // namespace tags

/// "[3]", "[APPLICATION 4]", "INTEGER": for error texts.
std::string to_string(Tag tag);

/// A BIT STRING. Bit 0 is the first one: the highest bit of the first byte.
struct BitString {
  std::string bytes;
  int unused = 0;  ///< bits of the last byte that do not count, 0…7
  bool bit(std::size_t number) const;             ///< false behind the end
  void set(std::size_t number, bool on = true);   ///< grows as needed
  std::size_t size() const { return bytes.size() * 8 - static_cast<std::size_t>(unused); }
  bool operator==(const BitString&) const = default;
};

/// The content of an OBJECT IDENTIFIER for "2.6.0.1.6", and back. Arcs up to 2^63 - 1, at most 64 of them. Errc::malformed.
Result<std::string> encode_oid(std::string_view dotted);
Result<std::string> decode_oid(std::string_view content);

/// "261122231051Z": with seconds, in UTC. Years 1950…2049; others are clamped to that range's ends.
std::string encode_utc_time(WallTime time);
/// With or without seconds, "Z" or "+hhmm" or "-hhmm" (X.680, 47). Years from 50 are 19xx. Errc::malformed.
Result<WallTime> decode_utc_time(std::string_view text);
/// "20261122231051Z". Years 0…9999.
std::string encode_generalized_time(WallTime time);
/// With or without minutes, seconds and a fraction (kept to the millisecond); without a zone it is taken as UTC. Errc::malformed.
Result<WallTime> decode_generalized_time(std::string_view text);

}  // namespace longline::x400
