// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "x400/p1.hpp"

namespace longline::x400 {

/// Who we are in traces and identifiers.
struct OurMta {
  GlobalDomain domain;
  std::string name;   ///< MTA name, IA5
};

/// Adds that we took the message or report in at `arrival`: to the internal trace always, to the trace where it comes into our domain (X.411, 14.3.1).
void add_trace(std::vector<TraceElement>& trace, std::vector<InternalTraceElement>& internal_trace, const OurMta& ours, WallTime arrival);

/// Whether it has been here before: Errc::refused says so in one clause. Our own name is in the internal trace, and nobody redirected it or expanded a
/// distribution list since (X.411, 14.3.1); or it came through more than `most` domains or MTAs. MTAs that share a domain are told apart by their
/// names; ASCII case is ignored.
std::optional<Error> find_loop(const std::vector<TraceElement>& trace, const std::vector<InternalTraceElement>& internal_trace, const OurMta& ours,
                               std::size_t most);

/// An extension that is critical for transfer or delivery and that we do not carry out: Errc::refused names it. nullopt: none.
std::optional<Error> find_unsupported(const std::vector<Extension>& extensions);

}  // namespace longline::x400
