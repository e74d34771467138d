// SPDX-License-Identifier: MIT
#include "x400/p1_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace longline::x400 {
namespace {

/// Standard extensions that ask for nothing that we would do otherwise: no reassignment (1), no list expansion (3), no conversion with loss (4),
/// latest delivery (5: delivery is at once), correlator (23), histories (25, 26).
constexpr std::array<std::int64_t, 7> kHonoured = {1, 3, 4, 5, 23, 25, 26};
constexpr std::size_t kForTransfer = 1, kForDelivery = 2;

bool same(const GlobalDomain& a, const GlobalDomain& b) {
  const auto admd = [](const GlobalDomain& d) { return trim(d.admd); };
  return iequals(a.country, b.country) && iequals(admd(a), admd(b)) && iequals(a.prmd, b.prmd);
}

GlobalDomain as_written(const GlobalDomain& domain) {
  return {domain.country.empty() ? "WW" : domain.country, domain.admd.empty() ? " " : domain.admd, domain.prmd};
}

}  // namespace

void add_trace(std::vector<TraceElement>& trace, std::vector<InternalTraceElement>& internal_trace, const OurMta& ours, WallTime arrival) {
  const GlobalDomain domain = as_written(ours.domain);
  if (trace.empty() || !same(trace.back().domain, domain)) {
    TraceElement& added = trace.emplace_back();
    added.domain = domain;
    added.arrival = arrival;
  }
  InternalTraceElement& added = internal_trace.emplace_back();
  added.domain = domain;
  added.mta = ours.name;
  added.arrival = arrival;
}

std::optional<Error> find_loop(const std::vector<TraceElement>& trace, const std::vector<InternalTraceElement>& internal_trace, const OurMta& ours,
                               std::size_t most) {
  if (trace.size() > most || internal_trace.size() > most) {
    const std::size_t systems = std::max(trace.size(), internal_trace.size());
    return Error(Errc::refused, fmt::format("mail loop: it came through {} systems, at most {} are allowed", systems, most));
  }
  const GlobalDomain domain = as_written(ours.domain);
  for (std::size_t i = internal_trace.size(); i > 0; --i) {
    const InternalTraceElement& element = internal_trace[i - 1];
    if (element.redirected || element.dl_expanded) return std::nullopt;
    if (iequals(element.mta, ours.name) && same(element.domain, domain)) {
      return Error(Errc::refused, fmt::format("mail loop: it was at {} already, {}", escape(ours.name), format_iso8601(element.arrival)));
    }
  }
  return std::nullopt;
}

std::optional<Error> find_unsupported(const std::vector<Extension>& extensions) {
  for (const Extension& extension : extensions) {
    if (!extension.criticality.bit(kForTransfer) && !extension.criticality.bit(kForDelivery)) continue;
    if (extension.oid.empty() && std::find(kHonoured.begin(), kHonoured.end(), extension.number) != kHonoured.end()) continue;
    const std::string name = extension.oid.empty() ? std::to_string(extension.number) : extension.oid;
    return Error(Errc::refused, fmt::format("extension {} is critical and not supported", name));
  }
  return std::nullopt;
}

}  // namespace longline::x400
