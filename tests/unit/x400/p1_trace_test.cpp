// SPDX-License-Identifier: MIT
#include "x400/p1_trace.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::x400;

namespace {

const OurMta kOurMta{{"WW", "", ""}, "HUB"};
const WallTime kPassedAt = *parse_iso8601("2026-11-22T23:10:51Z");

InternalTraceElement trace_at(std::string_view mta, const GlobalDomain& domain = {"WW", " ", ""}) {
  InternalTraceElement out;
  out.domain = domain;
  out.mta = mta;
  out.arrival = kPassedAt;
  return out;
}

std::string loop(const std::vector<InternalTraceElement>& trace, const OurMta& ours = kOurMta) {
  const auto error = find_loop({}, trace, ours, 30);
  return error ? error->what : "";
}

}  // namespace

TEST_CASE("our element is added; the domain's only where it is entered") {
  std::vector<TraceElement> trace;
  std::vector<InternalTraceElement> internal;
  add_trace(trace, internal, kOurMta, kPassedAt);
  add_trace(trace, internal, {{"ww", " ", ""}, "NEXT"}, kPassedAt);
  REQUIRE(trace.size() == 1);
  CHECK(trace[0].domain == GlobalDomain{"WW", " ", ""});
  CHECK(trace[0].arrival == kPassedAt);
  REQUIRE(internal.size() == 2);
  CHECK(internal[1].mta == "NEXT");
  add_trace(trace, internal, {{"DE", "vianet", "acme"}, "FAR"}, kPassedAt);
  CHECK(trace.size() == 2);
}

TEST_CASE("a loop is our own name in the trace") {
  CHECK(loop({}).empty());
  CHECK(loop({trace_at("OTHER")}).empty());
  CHECK(loop({trace_at("hub"), trace_at("OTHER")}) == "mail loop: it was at HUB already, 2026-11-22T23:10:51Z");
  CHECK(loop({trace_at("HUB", {"DE", " ", ""})}).empty());
  CHECK(loop({trace_at("HUB", {"WW", "", ""})}) == loop({trace_at("HUB")}));
  auto redirected = trace_at("OTHER");
  redirected.redirected = true;
  CHECK(loop({trace_at("HUB"), redirected}).empty());
  CHECK(!loop({redirected, trace_at("HUB")}).empty());
  auto expanded = trace_at("OTHER");
  expanded.dl_expanded = true;
  CHECK(loop({trace_at("HUB"), expanded, trace_at("THIRD")}).empty());
}

TEST_CASE("a trace that is too long is a loop") {
  std::vector<InternalTraceElement> internal(30, trace_at("OTHER"));
  CHECK(loop(internal).empty());
  internal.push_back(trace_at("OTHER"));
  CHECK(loop(internal) == "mail loop: it came through 31 systems, at most 30 are allowed");
  CHECK(find_loop(std::vector<TraceElement>(31), {}, kOurMta, 30)->code == Errc::refused);
}

TEST_CASE("a critical extension that is not known is refused") {
  Extension extension;
  extension.number = 20;
  CHECK(!find_unsupported({extension}));
  extension.criticality.set(0);
  CHECK(!find_unsupported({extension}));
  extension.criticality.set(1);
  CHECK(find_unsupported({extension})->what == "extension 20 is critical and not supported");
  extension.number = 4;
  CHECK(!find_unsupported({extension}));
  extension.oid = "1.2.3";
  CHECK(find_unsupported({extension})->what == "extension 1.2.3 is critical and not supported");
  extension.criticality = {};
  extension.criticality.set(2);
  CHECK(find_unsupported({{}, extension}));
}
