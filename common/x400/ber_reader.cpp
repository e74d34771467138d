// SPDX-License-Identifier: MIT
#include "x400/ber_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace longline::x400 {
namespace {

Error bad_encoding(std::string what) { return Error(Errc::malformed, "BER: " + std::move(what)); }
Error too_deep() { return bad_encoding("elements are nested too deeply"); }

/// How many bytes of `rest` the elements before the end-of-contents octets have, without recursion: only elements of indefinite length
/// are entered, others are stepped over.
Result<std::size_t> length_until_end(std::string_view rest, const BerLimits& limits) {
  std::size_t at = 0, elements = 0;
  int open = 1;
  while (true) {
    if (rest.substr(at).starts_with(kEndOfContents)) {
      if (--open == 0) return at;
      at += kEndOfContents.size();
      continue;
    }
    if (++elements > limits.elements) return bad_encoding(fmt::format("more than {} elements in one", limits.elements));
    LONGLINE_TRY(const auto header, read_header(rest.substr(at)));
    if (!header) return bad_encoding("an element of indefinite length does not end");
    at += header->size;
    if (!header->length) {
      if (++open > limits.depth) return too_deep();
    } else if (*header->length > rest.size() - at) {
      return bad_encoding("an element is longer than what it is in");
    } else {
      at += static_cast<std::size_t>(*header->length);
    }
    if (at > limits.length) return bad_encoding(fmt::format("an element is longer than {} bytes", limits.length));
  }
}

/// The element at the start of `rest`, which has one byte or more.
Result<BerElement> read_element(std::string_view rest, const BerLimits& limits) {
  if (limits.depth <= 0) return too_deep();
  LONGLINE_TRY(const auto header, read_header(rest));
  if (!header) return bad_encoding("it ends within the header of an element");
  if (header->tag == universal(0)) return bad_encoding("end-of-contents octets where none are due");
  BerElement element;
  element.tag = header->tag;
  element.constructed = header->constructed;
  element.limits = limits;
  --element.limits.depth;
  const std::string_view inside = rest.substr(header->size);
  if (!header->length) {
    LONGLINE_TRY(const std::size_t length, length_until_end(inside, element.limits));
    element.content = inside.substr(0, length);
    element.whole = rest.substr(0, header->size + length + kEndOfContents.size());
    return element;
  }
  if (*header->length > limits.length) {
    return bad_encoding(fmt::format("{} of {} bytes, at most {} are taken", to_string(header->tag), *header->length, limits.length));
  }
  if (*header->length > inside.size()) {
    return bad_encoding(fmt::format("{} of {} bytes, but only {} are there", to_string(header->tag), *header->length, inside.size()));
  }
  element.content = inside.substr(0, static_cast<std::size_t>(*header->length));
  element.whole = rest.substr(0, header->size + element.content.size());
  return element;
}

/// Adds the bytes of a string to `out`. The pieces of a constructed one may be of any string type (X.690, 8.7.3); their depth is limited.
Result<void> join(const BerElement& element, std::string& out) {
  if (!element.constructed) {
    out += element.content;
    return {};
  }
  BerReader reader(element.content, element.limits);
  while (true) {
    LONGLINE_TRY(const auto piece, reader.next());
    if (!piece) return {};
    if (piece->tag.tag_class != TagClass::universal || piece->is(tags::kSequence) || piece->is(tags::kSet)) {
      return bad_encoding(fmt::format("{} is no piece of a string", to_string(piece->tag)));
    }
    LONGLINE_CHECK(join(*piece, out));
  }
}

Result<void> join_bits(const BerElement& element, BitString& out) {
  if (out.unused != 0) return bad_encoding("a BIT STRING's piece that is not its last has unused bits");
  if (!element.constructed) {
    if (element.content.empty()) return bad_encoding("a BIT STRING without its first byte");
    const int unused = static_cast<unsigned char>(element.content.front());
    if (unused > 7 || (unused > 0 && element.content.size() == 1)) return bad_encoding("a BIT STRING with more unused bits than it has");
    out.bytes += element.content.substr(1);
    out.unused = unused;
    return {};
  }
  BerReader reader(element.content, element.limits);
  while (true) {
    LONGLINE_TRY(const auto piece, reader.next());
    if (!piece) return {};
    if (!piece->is(tags::kBitString)) return bad_encoding(fmt::format("{} is no piece of a BIT STRING", to_string(piece->tag)));
    LONGLINE_CHECK(join_bits(*piece, out));
  }
}

}  // namespace

Result<std::optional<BerHeader>> read_header(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return std::optional<BerHeader>();
  BerHeader header;
  header.tag.tag_class = static_cast<TagClass>(byte(0) >> 6);
  header.constructed = (byte(0) & 0x20) != 0;
  header.tag.number = byte(0) & 31;
  std::size_t at = 1;
  if (header.tag.number == 31) {
    header.tag.number = 0;
    for (bool more = true; more; ++at) {
      if (at >= bytes.size()) return std::optional<BerHeader>();
      header.tag.number = header.tag.number << 7 | (byte(at) & 0x7Fu);
      if (header.tag.number > kHighestTag || at > 4) return bad_encoding(fmt::format("a tag number above {}", kHighestTag));
      more = (byte(at) & 0x80) != 0;
    }
  }
  if (at >= bytes.size()) return std::optional<BerHeader>();
  const unsigned first = byte(at++);
  if (first < 0x80) {
    header.length = first;
  } else if (first == 0x80) {
    if (!header.constructed) return bad_encoding(fmt::format("{} is primitive and of indefinite length", to_string(header.tag)));
  } else {
    const unsigned count = first & 0x7F;
    if (count > 8) return bad_encoding(fmt::format("a length of {} bytes", count));
    if (bytes.size() - at < count) return std::optional<BerHeader>();
    std::uint64_t length = 0;
    for (unsigned i = 0; i < count; ++i) length = length << 8 | byte(at++);
    header.length = length;
  }
  header.size = at;
  return std::optional(header);
}

Result<std::optional<BerElement>> BerReader::next() {
  if (rest_.empty()) return std::optional<BerElement>();
  LONGLINE_TRY(BerElement element, read_element(rest_, limits_));
  rest_.remove_prefix(element.whole.size());
  return std::optional(std::move(element));
}

Result<BerElement> BerReader::only(std::string_view bytes, BerLimits limits) {
  BerReader reader(bytes, limits);
  LONGLINE_TRY(auto element, reader.next());
  if (!element) return bad_encoding("an element is missing");
  if (!reader.rest().empty()) return bad_encoding(fmt::format("{} bytes too many behind {}", reader.rest().size(), to_string(element->tag)));
  return std::move(*element);
}

Result<std::vector<BerElement>> BerElement::children() const {
  if (!constructed) return bad_encoding(fmt::format("{} is primitive where elements are due", to_string(tag)));
  std::vector<BerElement> out;
  BerReader reader(content, limits);
  while (true) {
    LONGLINE_TRY(auto element, reader.next());
    if (!element) return out;
    if (out.size() >= limits.elements) return bad_encoding(fmt::format("more than {} elements in one", limits.elements));
    out.push_back(std::move(*element));
  }
}

Result<BerElement> BerElement::child() const {
  if (!constructed) return bad_encoding(fmt::format("{} is primitive where an element is due", to_string(tag)));
  return BerReader::only(content, limits);
}

Result<std::int64_t> BerElement::integer() const {
  if (constructed || content.empty()) return bad_encoding(fmt::format("{} is no INTEGER", to_string(tag)));
  std::string_view digits = content;
  const bool negative = (static_cast<unsigned char>(digits.front()) & 0x80) != 0;
  // Tolerated: sign bytes that say nothing new.
  while (digits.size() > 8 && digits.front() == (negative ? '\xFF' : '\0')) digits.remove_prefix(1);
  if (digits.size() > 8 || ((static_cast<unsigned char>(digits.front()) & 0x80) != 0) != negative) return bad_encoding("an INTEGER of more than 64 bits");
  std::uint64_t value = negative ? ~std::uint64_t(0) : 0;
  for (const char c : digits) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

Result<bool> BerElement::boolean() const {
  if (constructed || content.size() != 1) return bad_encoding(fmt::format("{} is no BOOLEAN", to_string(tag)));
  return content.front() != '\0';
}

Result<void> BerElement::null() const {
  if (constructed || !content.empty()) return bad_encoding(fmt::format("{} is not NULL", to_string(tag)));
  return {};
}

Result<std::string> BerElement::octets() const {
  std::string out;
  LONGLINE_CHECK(join(*this, out));
  return out;
}

Result<BitString> BerElement::bits() const {
  BitString out;
  LONGLINE_CHECK(join_bits(*this, out));
  return out;
}

Result<std::string> BerElement::oid() const {
  if (constructed) return bad_encoding(fmt::format("{} is no OBJECT IDENTIFIER", to_string(tag)));
  return decode_oid(content);
}

Result<WallTime> BerElement::utc_time() const {
  LONGLINE_TRY(const std::string text, octets());
  return decode_utc_time(text);
}

Result<WallTime> BerElement::generalized_time() const {
  LONGLINE_TRY(const std::string text, octets());
  return decode_generalized_time(text);
}

const BerElement* find(const std::vector<BerElement>& elements, Tag tag) {
  const auto found = std::find_if(elements.begin(), elements.end(), [&](const BerElement& e) { return e.tag == tag; });
  return found == elements.end() ? nullptr : &*found;
}

Result<BerElement> require(const std::vector<BerElement>& elements, Tag tag, std::string_view of) {
  if (const BerElement* found = find(elements, tag)) return *found;
  return bad_encoding(fmt::format("{} without its {}", of, to_string(tag)));
}

}  // namespace longline::x400
