// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace longline {

/// A number as people write it in front of a unit: "12", "1.5". Integers only: what a double would make of 0.1 is nobody's size.
struct Decimal {
  std::int64_t whole = 0;
  std::int64_t fraction = 0;   ///< of `parts`
  std::int64_t parts = 1;      ///< 1, or a power of ten up to 10^9

  /// So many units of `scale`, at most 2^30, what is less than one left out. nullopt: more than `most`, a fraction of what has no parts (`scale` 1),
  /// or something that would become nothing.
  std::optional<std::int64_t> times(std::int64_t scale, std::int64_t most) const;
};

/// Takes one off the front of `text`: digits, or digits, a point and one to nine digits. nullopt, `text` as it was: there is none, or one
/// that no integer holds.
std::optional<Decimal> take_decimal(std::string_view& text);

}  // namespace longline
