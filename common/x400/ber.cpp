// SPDX-License-Identifier: MIT
#include "x400/ber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kMostArcs = 64;

std::string base128(std::uint64_t value) {
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>((value & 0x7F) | (out.empty() ? 0 : 0x80)));
    value >>= 7;
  } while (value != 0);
  return out;
}

}  // namespace

std::string to_string(Tag tag) {
  if (tag.tag_class == TagClass::context) return fmt::format("[{}]", tag.number);
  if (tag.tag_class == TagClass::application) return fmt::format("[APPLICATION {}]", tag.number);
  if (tag.tag_class == TagClass::private_use) return fmt::format("[PRIVATE {}]", tag.number);
  constexpr std::array<std::string_view, 31> kNames = {
      "end-of-contents", "BOOLEAN",  "INTEGER",       "BIT STRING",      "OCTET STRING",    "NULL",           "OBJECT IDENTIFIER", "ObjectDescriptor",
      "EXTERNAL",        "REAL",     "ENUMERATED",    "EMBEDDED PDV",    "UTF8String",      "RELATIVE-OID",   "",                  "",
      "SEQUENCE",        "SET",      "NumericString", "PrintableString", "T61String",       "VideotexString", "IA5String",         "UTCTime",
      "GeneralizedTime", "GraphicString", "VisibleString", "GeneralString", "UniversalString", "",            "BMPString"};
  if (tag.number < kNames.size() && !kNames[tag.number].empty()) return std::string(kNames[tag.number]);
  return fmt::format("[UNIVERSAL {}]", tag.number);
}

bool BitString::bit(std::size_t number) const {
  return number < size() && ((static_cast<unsigned char>(bytes[number / 8]) >> (7 - number % 8)) & 1) != 0;
}

void BitString::set(std::size_t number, bool on) {
  if (number >= size()) {
    bytes.resize(number / 8 + 1);
    unused = static_cast<int>(7 - number % 8);
  }
  const int mask = 0x80 >> (number % 8);
  const int byte = static_cast<unsigned char>(bytes[number / 8]);
  bytes[number / 8] = static_cast<char>(on ? byte | mask : byte & ~mask);
}

Result<std::string> encode_oid(std::string_view dotted) {
  const auto bad = [&] { return Error(Errc::malformed, fmt::format("'{}' is not an object identifier like 2.6.0.1.6", escape_at_most(dotted, 80))); };
  const auto parts = split(dotted, '.');
  if (parts.size() < 2 || parts.size() > kMostArcs) return bad();
  std::vector<std::uint64_t> arcs;
  for (const std::string_view part : parts) {
    const auto arc = parse_integer(part);
    if (!arc || *arc < 0 || part.front() == '+' || part.front() == '-') return bad();
    arcs.push_back(static_cast<std::uint64_t>(*arc));
  }
  if (arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39)) return bad();
  std::string out = base128(arcs[0] * 40 + arcs[1]);
  for (std::size_t i = 2; i < arcs.size(); ++i) out += base128(arcs[i]);
  return out;
}

Result<std::string> decode_oid(std::string_view content) {
  const auto bad = [](std::string_view why) { return Error(Errc::malformed, fmt::format("an object identifier {}", why)); };
  if (content.empty()) return bad("is empty");
  std::string out;
  std::size_t arcs = 0;
  std::uint64_t value = 0;
  bool inside = false;
  for (const char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    if (!inside && byte == 0x80) return bad("has an arc with leading zeros");
    if (value >> 56 != 0) return bad("has an arc above 2^63");
    value = value << 7 | (byte & 0x7F);
    inside = (byte & 0x80) != 0;
    if (inside) continue;
    if (++arcs >= kMostArcs) return bad("has too many arcs");
    if (arcs == 1) {
      const std::uint64_t first = std::min<std::uint64_t>(value / 40, 2);
      out = fmt::format("{}.{}", first, value - first * 40);
    } else {
      out += fmt::format(".{}", value);
    }
    value = 0;
  }
  if (inside) return bad("ends within an arc");
  return out;
}

}  // namespace longline::x400
