// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "x400/p1_fields.hpp"

namespace longline::x400 {
namespace {

using namespace p1;

constexpr std::size_t kSupplementaryBound = 256;   // ub-supplementary-info-length
constexpr std::size_t kLongestSupplementary = 4096;

void write_reported(BerWriter& w, const ReportedRecipient& recipient) {
  w.set([&] {
    write_or_name(w, recipient.actual, context(0));
    w.integer(recipient.number, context(1));
    w.bits(recipient_indicators(true, recipient.mta_report, recipient.originator_report), context(2));
    w.constructed(context(3), [&] {
      w.utc_time(recipient.arrival, context(0));
      w.constructed(context(1), [&] {
        if (recipient.delivered) {
          w.constructed(context(0), [&] {
            w.utc_time(*recipient.delivered, context(0));
            if (recipient.mts_user != 0) w.integer(recipient.mts_user, context(1));
          });
          return;
        }
        w.constructed(context(1), [&] {
          w.integer(recipient.reason, context(0));
          if (recipient.diagnostic) w.integer(*recipient.diagnostic, context(1));
        });
      });
    });
    if (recipient.intended) write_or_name(w, *recipient.intended, context(4));
    if (!recipient.supplementary.empty()) w.primitive(context(5), printable(recipient.supplementary, kSupplementaryBound));
  });
}

Result<void> read_last_trace(const BerElement& element, ReportedRecipient& out) {
  LONGLINE_TRY(const auto fields, element.children());
  LONGLINE_TRY(const BerElement arrival, require(fields, context(0), "a report's last trace"));
  LONGLINE_TRY(out.arrival, arrival.utc_time());
  LONGLINE_TRY(const BerElement report, require(fields, context(1), "a report's last trace"));
  LONGLINE_TRY(const BerElement type, report.child());
  LONGLINE_TRY(const auto parts, type.children());
  const BerElement* second = find(parts, context(1));
  LONGLINE_TRY(const BerElement first, require(parts, context(0), "a report"));
  if (type.is(context(0))) {
    LONGLINE_TRY(out.delivered, first.utc_time());
    if (second != nullptr) {
      LONGLINE_TRY(out.mts_user, second->integer());
    }
    return {};
  }
  if (!type.is(context(1))) return Error(Errc::malformed, fmt::format("P1: {} is neither a delivery nor a non-delivery report", to_string(type.tag)));
  LONGLINE_TRY(out.reason, first.integer());
  if (second != nullptr) {
    LONGLINE_TRY(out.diagnostic, second->integer());
  }
  return {};
}

Result<ReportedRecipient> read_reported(const BerElement& element) {
  LONGLINE_TRY(const auto fields, element.children());
  ReportedRecipient out;
  LONGLINE_TRY(const BerElement actual, require(fields, context(0), "a reported recipient"));
  LONGLINE_TRY(out.actual, read_or_name(actual));
  LONGLINE_TRY(const BerElement number, require(fields, context(1), "a reported recipient"));
  LONGLINE_TRY(out.number, number.integer());
  if (const BerElement* indicators = find(fields, context(2))) {
    LONGLINE_TRY(const BitString bits, indicators->bits());
    take_indicators(bits, nullptr, out.mta_report, out.originator_report);
  }
  LONGLINE_TRY(const BerElement last_trace, require(fields, context(3), "a reported recipient"));
  LONGLINE_CHECK(read_last_trace(last_trace, out));
  if (const BerElement* intended = find(fields, context(4))) {
    LONGLINE_TRY(out.intended, read_or_name(*intended));
  }
  if (const BerElement* supplementary = find(fields, context(5))) {
    LONGLINE_TRY(out.supplementary, short_text(*supplementary, kLongestSupplementary));
  }
  return out;
}

Result<void> read_report_content(const BerElement& set, Report& out) {
  LONGLINE_TRY(const auto fields, set.children());
  LONGLINE_TRY(const BerElement subject, require(fields, kMtsId, "a report's content"));
  LONGLINE_TRY(out.subject, read_id(subject));
  LONGLINE_TRY(out.content_type, read_content_type(fields));
  if (const BerElement* content_id = find(fields, kContentId)) {
    LONGLINE_TRY(out.content_id, short_text(*content_id, kLongestContentId));
  }
  if (const BerElement* returned = find(fields, context(1))) {
    LONGLINE_TRY(out.returned_content, returned->octets());
  }
  LONGLINE_TRY(const auto recipients, recipients_in(fields, context(0), "a report's content"));
  for (const BerElement& recipient : recipients) {
    LONGLINE_TRY(out.recipients.emplace_back(), read_reported(recipient));
  }
  return {};
}

}  // namespace

std::string encode_report(const Report& report) {
  BerWriter inside;
  inside.set([&] {
    write_id(inside, report.id);
    write_or_name(inside, report.destination);
    write_trace(inside, report.trace);
    write_extensions(inside, context(1), {}, report.internal_trace);
  });
  inside.set([&] {
    write_id(inside, report.subject);
    if (report.content_type) write_content_type(inside, *report.content_type);
    if (!report.content_id.empty()) inside.primitive(kContentId, printable(report.content_id, kContentIdBound));
    inside.constructed(context(0), [&] {
      for (const ReportedRecipient& recipient : report.recipients) write_reported(inside, recipient);
    });
    if (report.returned_content) inside.primitive(context(1), *report.returned_content);
  });
  BerWriter w;
  write_wrapper(w, context(1), inside.bytes().size());
  w.raw(inside.bytes());
  return w.take();
}

Result<Report> read_report(const BerElement& sequence) {
  LONGLINE_TRY(const auto parts, sequence.children());
  if (parts.size() < 2 || !parts[0].is(tags::kSet) || !parts[1].is(tags::kSet)) return Error(Errc::malformed, "P1: a report is not an envelope and a content");
  LONGLINE_TRY(const auto fields, parts[0].children());
  Report out;
  LONGLINE_TRY(const BerElement id, require(fields, kMtsId, "a report's envelope"));
  LONGLINE_TRY(out.id, read_id(id));
  LONGLINE_TRY(const BerElement destination, require(fields, application(0), "a report's envelope"));
  LONGLINE_TRY(out.destination, read_or_name(destination));
  LONGLINE_TRY(const BerElement trace, require(fields, kTrace, "a report's envelope"));
  LONGLINE_TRY(out.trace, read_trace(trace));
  std::vector<Extension> others;
  if (const BerElement* extensions = find(fields, context(1))) LONGLINE_CHECK(read_extensions(*extensions, others, &out.internal_trace));
  LONGLINE_CHECK(read_report_content(parts[1], out));
  return out;
}

}  // namespace longline::x400
