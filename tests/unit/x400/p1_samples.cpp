// SPDX-License-Identifier: MIT
#include "p1_samples.hpp"

#include <cassert>

#include "x400/or_name_mapping.hpp"

namespace longline::x400 {
namespace {

const AddressMapping kSampleMapping{"DE", "vianet", "acme", "gateway.example"};
const GlobalDomain kDomain{"DE", "vianet", "acme"};
WallTime at(std::string_view iso) { return *parse_iso8601(iso); }

}  // namespace

MessageEnvelope sample_envelope() {
  MessageEnvelope out;
  out.id = {kDomain, "0000042.hub"};
  out.originator = *to_or_name("jo@site7.example", kSampleMapping);
  out.content_id = "42";
  out.priority = P1Priority::urgent;
  out.disclose_recipients = true;
  out.return_content = true;
  out.deferred_until = at("2026-11-23T08:00:00Z");
  out.recipients = {{*to_or_name("ann@hub.example", kSampleMapping)},
                    {*to_or_name("\"b c\"@hub.example", kSampleMapping), 2, false, ReportRequest::report, ReportRequest::report}};
  out.trace = {{kDomain, at("2026-11-22T23:10:51Z")},
               {{"FR", " ", ""}, at("2026-11-22T23:11:00Z"), true, kDomain, at("2026-11-22T23:12:00Z"), true, false}};
  out.internal_trace = {{kDomain, "HUB", at("2026-11-22T23:10:51Z")}, {kDomain, "HUB2", at("2026-11-22T23:10:52Z"), true, false, true}};
  Extension private_one;
  private_one.oid = "1.2.3.4";
  private_one.criticality.set(2);
  private_one.value = std::string("\x02\x01\x07", 3);
  out.extensions = {{5, "", {}, std::string("\x17\x0d" "261130000000Z", 15)}, private_one};
  return out;
}

Report sample_report() {
  Report out;
  out.id = {kDomain, "R1"};
  out.destination = *to_or_name("jo@site7.example", kSampleMapping);
  out.trace = {{kDomain, at("2026-11-22T23:20:00Z")}};
  out.internal_trace = {{kDomain, "HUB", at("2026-11-22T23:20:00Z")}};
  out.subject = {kDomain, "0000042.hub"};
  out.content_type = ContentType{};
  out.content_id = "42";
  ReportedRecipient good;
  good.actual = *to_or_name("ann@hub.example", kSampleMapping);
  good.originator_report = ReportRequest::report;
  good.arrival = at("2026-11-22T23:15:00Z");
  good.delivered = at("2026-11-22T23:16:00Z");
  good.mts_user = 1;
  ReportedRecipient failed;
  failed.actual = *to_or_name("\"b c\"@hub.example", kSampleMapping);
  failed.number = 2;
  failed.arrival = at("2026-11-22T23:15:00Z");
  failed.reason = 1;
  failed.diagnostic = 0;
  failed.intended = *to_or_name("old@hub.example", kSampleMapping);
  failed.supplementary = "no such user here";
  out.recipients = {good, failed};
  out.returned_content = "Subject: x\r\n\r\n";
  return out;
}

std::string indefinite(std::string_view element, std::size_t piece) {
  const auto read = BerReader::only(element);
  assert(read);
  BerWriter header;
  if (!read->constructed && piece > 0 && read->is(tags::kOctetString)) {
    std::string out = "\x24\x80";
    for (std::size_t i = 0; i < read->content.size(); i += piece) {
      BerWriter one;
      one.octets(read->content.substr(i, piece));
      out += one.bytes();
    }
    return out + std::string(2, '\0');
  }
  if (!read->constructed) return std::string(element);
  header.header(read->tag, true, 0);
  std::string out = header.take();
  out.back() = '\x80';
  const auto children = read->children();
  assert(children);
  for (const BerElement& child : *children) out += indefinite(child.whole, piece);
  return out + std::string(2, '\0');
}

}  // namespace longline::x400
