// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "x400/ber.hpp"

namespace longline::x400 {

/// Behind the elements in one of indefinite length.
constexpr std::string_view kEndOfContents("\0\0", 2);

/// What a peer may ask of the reader. Reaching one is Errc::malformed, and says which.
struct BerLimits {
  std::size_t length = 64u << 20;    ///< of one element's content, bytes
  int depth = 64;                    ///< constructed elements within each other
  std::size_t elements = 65536;      ///< of one constructed element; also of one search for the end of an indefinite length
};

/// An element's identifier and length (X.690, 8.1.2 and 8.1.3).
struct BerHeader {
  Tag tag;
  bool constructed = false;
  std::size_t size = 0;                   ///< of the header itself, bytes
  std::optional<std::uint64_t> length{};  ///< of the content; nullopt: indefinite
};

/// The header at the start of `bytes`; nullopt when more bytes are needed (it never has more than 14). Errc::malformed: tag number above
/// kHighestTag, length of more than 8 bytes that count, a primitive element of indefinite length.
Result<std::optional<BerHeader>> read_header(std::string_view bytes);

/// One element: views into the bytes that were read, which must outlive it. Definite and indefinite lengths look the same here. What it
/// holds is checked when it is asked for. All errors are Errc::malformed.
struct BerElement {
  Tag tag;
  bool constructed = false;
  std::string_view content;  ///< without end-of-contents octets
  std::string_view whole;    ///< with header and, of an indefinite length, end-of-contents octets
  BerLimits limits{};        ///< what is left for the inside

  bool is(Tag other) const { return tag == other; }
  /// The elements inside; an error if it is primitive.
  Result<std::vector<BerElement>> children() const;
  /// The one element inside: an EXPLICIT tag.
  Result<BerElement> child() const;
  Result<std::int64_t> integer() const;   ///< at most 8 bytes that count
  Result<bool> boolean() const;
  Result<void> null() const;
  /// OCTET STRING and character strings, also in pieces (constructed), which may be nested.
  Result<std::string> octets() const;
  Result<BitString> bits() const;         ///< also in pieces
  Result<std::string> oid() const;        ///< "2.6.0.1.6"
  Result<WallTime> utc_time() const;
  Result<WallTime> generalized_time() const;
};

/// Elements one behind the other.
class BerReader {
 public:
  explicit BerReader(std::string_view bytes, BerLimits limits = {}) : rest_(bytes), limits_(limits) {}
  /// nullopt at the end. Errc::malformed also where the bytes end within an element.
  Result<std::optional<BerElement>> next();
  std::string_view rest() const { return rest_; }

  /// The only element of `bytes`; an error if anything is behind it.
  static Result<BerElement> only(std::string_view bytes, BerLimits limits = {});

 private:
  std::string_view rest_;
  BerLimits limits_;
};

/// The first with this tag; nullptr without one.
const BerElement* find(const std::vector<BerElement>& elements, Tag tag);
/// The same, where it must be there: Errc::malformed names the tag and `of`.
Result<BerElement> require(const std::vector<BerElement>& elements, Tag tag, std::string_view of);

}  // namespace longline::x400
