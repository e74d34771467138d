// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "x400/ber.hpp"

namespace longline::x400 {

/// Writes BER with definite, shortest lengths (X.690, 8 and 10.1). Every primitive may be given another tag: IMPLICIT. EXPLICIT is
/// `constructed` around it.
class BerWriter {
 public:
  /// SEQUENCE, SET and EXPLICIT tags: `body` writes the inside into this same writer.
  template <class Body>
  void constructed(Tag tag, Body&& body) {
    const std::size_t from = open(tag);
    std::forward<Body>(body)();
    close(from);
  }
  template <class Body>
  void sequence(Body&& body) { constructed(tags::kSequence, std::forward<Body>(body)); }
  template <class Body>
  void set(Body&& body) { constructed(tags::kSet, std::forward<Body>(body)); }

  void primitive(Tag tag, std::string_view content);
  void integer(std::int64_t value, Tag tag = tags::kInteger);
  void boolean(bool value, Tag tag = tags::kBoolean);
  void null(Tag tag = tags::kNull);
  void octets(std::string_view bytes, Tag tag = tags::kOctetString) { primitive(tag, bytes); }
  void bits(const BitString& value, Tag tag = tags::kBitString);
  /// `dotted` must be an OBJECT IDENTIFIER: a constant, or what a reader gave.
  void oid(std::string_view dotted, Tag tag = tags::kOid);
  void utc_time(WallTime time, Tag tag = tags::kUtcTime) { primitive(tag, encode_utc_time(time)); }
  /// Elements that are encoded already.
  void raw(std::string_view elements) { out_ += elements; }
  /// Identifier and length alone: `length` bytes of content will follow by another way.
  void header(Tag tag, bool constructed, std::uint64_t length);

  const std::string& bytes() const { return out_; }
  std::string take() { return std::exchange(out_, {}); }

 private:
  std::size_t open(Tag tag);
  void close(std::size_t from);

  std::string out_;
};

/// How many bytes header() writes.
std::size_t header_size(Tag tag, std::uint64_t length);

}  // namespace longline::x400
