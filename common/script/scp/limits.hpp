// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace longline::script::scp {

inline constexpr std::size_t kLongestLiteral = 64 * 1024;
inline constexpr int kDeepestNesting = 64;           ///< blocks in blocks, and parentheses in parentheses
inline constexpr int kTallestExpression = 1000;      ///< operators in a row, so that the recursion over it is bounded
inline constexpr std::size_t kMostFindings = 1000;
inline constexpr std::size_t kLongestValue = 1024 * 1024;   ///< of a string at run time
inline constexpr std::size_t kMostPatternBytes = 1024 * 1024;  ///< of one waitfor, at run time
inline constexpr std::size_t kStepsPerInput = 1'000'000;
inline constexpr std::size_t kWindow = 256 * 1024;   ///< received bytes that are kept

}  // namespace longline::script::scp
