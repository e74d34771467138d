// SPDX-License-Identifier: MIT
#include "x400/ber_writer.hpp"

#include <array>
#include <cassert>

namespace longline::x400 {
namespace {

/// Big-endian, without leading zero bytes, at least one.
template <class Out>
void put_big_endian(Out&& put, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) put(static_cast<char>(value >> (8 * i) & 0xFF));
}

int bytes_of(std::uint64_t value) {
  int bytes = 1;
  while (bytes < 8 && value >> (8 * bytes) != 0) ++bytes;
  return bytes;
}

std::string identifier(Tag tag, bool constructed) {
  const int first = static_cast<int>(tag.tag_class) << 6 | (constructed ? 0x20 : 0);
  if (tag.number < 31) return std::string(1, static_cast<char>(first | static_cast<int>(tag.number)));
  std::string out(1, static_cast<char>(first | 31));
  int shift = 28;
  while (shift > 0 && tag.number >> shift == 0) shift -= 7;
  for (; shift >= 0; shift -= 7) out += static_cast<char>((tag.number >> shift & 0x7F) | (shift > 0 ? 0x80 : 0));
  return out;
}

std::string encoded_length(std::uint64_t length) {
  std::string out;
  const auto put = [&](char c) { out += c; };
  if (length < 0x80) {
    put(static_cast<char>(length));
    return out;
  }
  put(static_cast<char>(0x80 | bytes_of(length)));
  put_big_endian(put, length, bytes_of(length));
  return out;
}

}  // namespace

std::size_t header_size(Tag tag, std::uint64_t length) { return identifier(tag, false).size() + encoded_length(length).size(); }

void BerWriter::header(Tag tag, bool constructed, std::uint64_t length) {
  out_ += identifier(tag, constructed);
  out_ += encoded_length(length);
}

std::size_t BerWriter::open(Tag tag) {
  out_ += identifier(tag, true);
  return out_.size();
}

void BerWriter::close(std::size_t from) { out_.insert(from, encoded_length(out_.size() - from)); }

void BerWriter::primitive(Tag tag, std::string_view content) {
  header(tag, false, content.size());
  out_ += content;
}

void BerWriter::integer(std::int64_t value, Tag tag) {
  const auto bits = static_cast<std::uint64_t>(value);
  // The shortest two's complement: the bytes before it are all sign.
  int bytes = 1;
  while (bytes < 8 && (value >> (8 * bytes - 1)) != (value < 0 ? -1 : 0)) ++bytes;
  header(tag, false, static_cast<std::uint64_t>(bytes));
  put_big_endian([&](char c) { out_ += c; }, bits, bytes);
}

void BerWriter::boolean(bool value, Tag tag) { primitive(tag, value ? std::string_view("\xFF") : std::string_view("\0", 1)); }

void BerWriter::null(Tag tag) { primitive(tag, {}); }

void BerWriter::bits(const BitString& value, Tag tag) {
  header(tag, false, value.bytes.size() + 1);
  out_ += static_cast<char>(value.unused);
  out_ += value.bytes;
}

void BerWriter::oid(std::string_view dotted, Tag tag) {
  const auto content = encode_oid(dotted);
  assert(content);
  if (content) primitive(tag, *content);
}

}  // namespace longline::x400
