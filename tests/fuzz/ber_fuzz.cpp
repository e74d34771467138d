// SPDX-License-Identifier: MIT
// Any bytes: the reader ends, and what it takes it gives again when it is written with definite lengths.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "x400/ber_reader.hpp"
#include "x400/ber_writer.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

/// False: something inside cannot be read.
bool write(BerWriter& w, const BerElement& element) {
  if (const auto value = element.integer()) {
    BerWriter again;
    again.integer(*value, element.tag);
    assert(*BerReader::only(again.bytes())->integer() == *value);
    assert(again.bytes().size() <= element.whole.size());
  }
  if (const auto value = element.oid()) {
    BerWriter again;
    again.oid(*value, element.tag);
    assert(*BerReader::only(again.bytes())->oid() == *value);
  }
  if (const auto value = element.bits()) {
    BerWriter again;
    again.bits(*value, element.tag);
    assert(*BerReader::only(again.bytes())->bits() == *value);
  }
  if (const auto value = element.octets()) assert(value->size() <= element.content.size());
  if (const auto time = element.utc_time()) {
    const auto again = decode_utc_time(encode_utc_time(*time));
    assert(again && format_iso8601(*again).size() == 20);
  }
  if (const auto time = element.generalized_time()) assert(decode_generalized_time(encode_generalized_time(*time)));
  if (!element.constructed) {
    w.primitive(element.tag, element.content);
    return true;
  }
  const auto children = element.children();
  if (!children) return false;
  bool good = true;
  w.constructed(element.tag, [&] {
    for (const BerElement& child : *children) good = write(w, child) && good;
  });
  return good;
}

bool same(const BerElement& a, const BerElement& b) {
  if (a.tag != b.tag || a.constructed != b.constructed) return false;
  if (!a.constructed) return a.content == b.content;
  const auto in_a = a.children(), in_b = b.children();
  if (!in_a || !in_b || in_a->size() != in_b->size()) return false;
  for (std::size_t i = 0; i < in_a->size(); ++i) {
    if (!same((*in_a)[i], (*in_b)[i])) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto oid = encode_oid(input)) assert(decode_oid(*oid));
  const auto header = read_header(input);
  const auto element = BerReader::only(input);
  if (!element) return 0;
  assert(header && *header && (*header)->tag == element->tag && element->whole == input);
  BerWriter w;
  if (!write(w, *element)) return 0;
  const auto again = BerReader::only(w.bytes());
  assert(again && same(*element, *again));
  return 0;
}
