// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "x400/p1.hpp"

namespace longline::x400 {

/// A message to two recipients, with every field that is written.
MessageEnvelope sample_envelope();
/// One delivery and one non-delivery.
Report sample_report();

/// The same value with indefinite lengths wherever they can be, and OCTET STRINGs in pieces of `piece` bytes; 0: primitive ones as they are.
std::string indefinite(std::string_view element, std::size_t piece = 0);

}  // namespace longline::x400
