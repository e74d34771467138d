// SPDX-License-Identifier: MIT
#include "x400/p1_fields.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace longline::x400 {
namespace {

constexpr std::int64_t kInternalTrace = 38;
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kMostTrace = 4096;
constexpr std::size_t kLongestMta = 32;      // ub-mta-name-length
constexpr std::size_t kMostRecipients = 32767;  // ub-recipients
constexpr std::size_t kRedirected = 0, kExpanded = 1;

Error bad_field(std::string what) { return Error(Errc::malformed, "P1: " + std::move(what)); }

BitString other_actions(bool redirected, bool expanded) {
  BitString bits;
  if (redirected) bits.set(kRedirected);
  if (expanded) bits.set(kExpanded);
  return bits;
}

/// A tag around a string of either type, or the string itself under that tag.
Result<std::string> choice_text(const BerElement& element) {
  if (!element.constructed) return p1::short_text(element, kLongestName);
  LONGLINE_TRY(const BerElement inside, element.child());
  return p1::short_text(inside, kLongestName);
}

/// DomainSuppliedInformation and MTASuppliedInformation: what both have.
template <class Element>
Result<void> read_supplied(const BerElement& set, Element& out) {
  LONGLINE_TRY(const auto fields, set.children());
  LONGLINE_TRY(const BerElement arrival, require(fields, context(0), "a trace element"));
  LONGLINE_TRY(out.arrival, arrival.utc_time());
  if (const BerElement* action = find(fields, context(2))) {
    LONGLINE_TRY(const std::int64_t number, action->integer());
    out.rerouted = number != 0;
  }
  if (const BerElement* others = find(fields, context(3))) {
    LONGLINE_TRY(const BitString bits, others->bits());
    out.redirected = bits.bit(kRedirected);
    out.dl_expanded = bits.bit(kExpanded);
  }
  if constexpr (std::is_same_v<Element, TraceElement>) {
    if (const BerElement* attempted = find(fields, application(3))) {
      LONGLINE_TRY(out.attempted, p1::read_domain(*attempted));
    }
    if (const BerElement* deferred = find(fields, context(1))) {
      LONGLINE_TRY(out.deferred, deferred->utc_time());
    }
  }
  return {};
}

template <class Element>
void write_supplied(BerWriter& w, const Element& element) {
  w.set([&] {
    w.utc_time(element.arrival, context(0));
    if constexpr (std::is_same_v<Element, TraceElement>) {
      if (element.deferred) w.utc_time(*element.deferred, context(1));
    }
    w.integer(element.rerouted ? 1 : 0, context(2));
    if constexpr (std::is_same_v<Element, TraceElement>) {
      if (element.attempted) p1::write_domain(w, *element.attempted);
    }
    if (element.redirected || element.dl_expanded) w.bits(other_actions(element.redirected, element.dl_expanded), context(3));
  });
}

Result<std::vector<InternalTraceElement>> read_internal_trace(const BerElement& value) {
  LONGLINE_TRY(const auto elements, value.children());
  if (elements.size() > kMostTrace) return bad_field(fmt::format("an internal trace of {} elements", elements.size()));
  std::vector<InternalTraceElement> out;
  for (const BerElement& element : elements) {
    LONGLINE_TRY(const auto parts, element.children());
    LONGLINE_TRY(const BerElement domain, require(parts, application(3), "an internal trace element"));
    LONGLINE_TRY(const BerElement mta, require(parts, tags::kIa5String, "an internal trace element"));
    LONGLINE_TRY(const BerElement supplied, require(parts, tags::kSet, "an internal trace element"));
    InternalTraceElement& added = out.emplace_back();
    LONGLINE_TRY(added.domain, p1::read_domain(domain));
    LONGLINE_TRY(added.mta, p1::short_text(mta, kLongestName));
    LONGLINE_CHECK(read_supplied(supplied, added));
  }
  return out;
}

void write_extension(BerWriter& w, const Extension& extension) {
  w.sequence([&] {
    if (extension.oid.empty()) w.integer(extension.number, context(0));
    else w.oid(extension.oid, context(3));
    if (extension.criticality.size() > 0) w.bits(extension.criticality, context(1));
    if (!extension.value.empty()) w.constructed(context(2), [&] { w.raw(extension.value); });
  });
}

}  // namespace

std::string to_string(const ContentType& type) {
  if (!type.oid.empty()) return type.oid;
  switch (type.built_in) {
    case kUnidentifiedContent: return "0 (unidentified)";
    case 1: return "1 (external)";
    case kP2Content: return "2 (P2)";
    case kP22Content: return "22 (P22)";
    case 35: return "35 (EDI)";
    case 40: return "40 (voice)";
    default: return std::to_string(type.built_in);
  }
}

namespace p1 {

std::string printable(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out) {
    if (!is_printable_string(std::string_view(&c, 1))) c = '?';
  }
  return out;
}

std::string ia5(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) > 0x7F) c = '?';
  }
  return out;
}

Result<std::string> short_text(const BerElement& element, std::size_t most) {
  LONGLINE_TRY(std::string text, element.octets());
  if (text.size() > most) return bad_field(fmt::format("a text of {} bytes in {}, at most {} are taken", text.size(), to_string(element.tag), most));
  return text;
}

void write_domain(BerWriter& w, const GlobalDomain& domain) {
  const std::string country = domain.country.empty() ? "WW" : domain.country;
  const bool numeric = country.find_first_not_of("0123456789") == std::string::npos;
  w.constructed(application(3), [&] {
    w.constructed(application(1), [&] { w.primitive(numeric ? tags::kNumericString : tags::kPrintableString, country); });
    w.constructed(application(2), [&] { w.primitive(tags::kPrintableString, domain.admd.empty() ? " " : domain.admd); });
    if (!domain.prmd.empty()) w.primitive(tags::kPrintableString, domain.prmd);
  });
}

Result<GlobalDomain> read_domain(const BerElement& element) {
  LONGLINE_TRY(const auto parts, element.children());
  GlobalDomain out;
  for (const BerElement& part : parts) {
    std::string& field = part.is(application(1)) ? out.country : part.is(application(2)) ? out.admd : out.prmd;
    LONGLINE_TRY(field, choice_text(part));
  }
  return out;
}

void write_id(BerWriter& w, const MtsId& id) {
  w.constructed(kMtsId, [&] {
    write_domain(w, id.domain);
    w.primitive(tags::kIa5String, ia5(id.local, kLongestLocalId));
  });
}

Result<MtsId> read_id(const BerElement& element) {
  LONGLINE_TRY(const auto parts, element.children());
  LONGLINE_TRY(const BerElement domain, require(parts, application(3), "an MTS identifier"));
  LONGLINE_TRY(const BerElement local, require(parts, tags::kIa5String, "an MTS identifier"));
  MtsId out;
  LONGLINE_TRY(out.domain, read_domain(domain));
  LONGLINE_TRY(out.local, short_text(local, kLongestName));
  return out;
}

void write_content_type(BerWriter& w, const ContentType& type) {
  if (type.oid.empty()) w.integer(type.built_in, kContentType);
  else w.oid(type.oid);
}

Result<std::optional<ContentType>> read_content_type(const std::vector<BerElement>& fields) {
  ContentType out;
  if (const BerElement* built_in = find(fields, kContentType)) {
    LONGLINE_TRY(out.built_in, built_in->integer());
  } else if (const BerElement* extended = find(fields, tags::kOid)) {
    LONGLINE_TRY(out.oid, extended->oid());
  } else {
    return std::optional<ContentType>();
  }
  return std::optional(out);
}

void write_trace(BerWriter& w, const std::vector<TraceElement>& trace) {
  w.constructed(kTrace, [&] {
    for (const TraceElement& element : trace) {
      w.sequence([&] {
        write_domain(w, element.domain);
        write_supplied(w, element);
      });
    }
  });
}

Result<std::vector<TraceElement>> read_trace(const BerElement& element) {
  LONGLINE_TRY(const auto elements, element.children());
  if (elements.size() > kMostTrace) return bad_field(fmt::format("a trace of {} elements", elements.size()));
  std::vector<TraceElement> out;
  for (const BerElement& one : elements) {
    LONGLINE_TRY(const auto parts, one.children());
    LONGLINE_TRY(const BerElement domain, require(parts, application(3), "a trace element"));
    LONGLINE_TRY(const BerElement supplied, require(parts, tags::kSet, "a trace element"));
    TraceElement& added = out.emplace_back();
    LONGLINE_TRY(added.domain, read_domain(domain));
    LONGLINE_CHECK(read_supplied(supplied, added));
  }
  return out;
}

void write_extensions(BerWriter& w, Tag tag, const std::vector<Extension>& extensions, const std::vector<InternalTraceElement>& internal_trace) {
  if (extensions.empty() && internal_trace.empty()) return;
  w.constructed(tag, [&] {
    for (const Extension& extension : extensions) write_extension(w, extension);
    if (internal_trace.empty()) return;
    BerWriter value;
    value.sequence([&] {
      for (const InternalTraceElement& element : internal_trace) {
        value.sequence([&] {
          write_domain(value, element.domain);
          value.primitive(tags::kIa5String, ia5(element.mta, kLongestMta));
          write_supplied(value, element);
        });
      }
    });
    write_extension(w, {kInternalTrace, "", {}, value.take()});
  });
}

Result<void> read_extensions(const BerElement& element, std::vector<Extension>& extensions, std::vector<InternalTraceElement>* internal_trace) {
  LONGLINE_TRY(const auto fields, element.children());
  for (const BerElement& field : fields) {
    LONGLINE_TRY(const auto parts, field.children());
    Extension extension;
    if (const BerElement* number = find(parts, context(0))) {
      LONGLINE_TRY(const BerElement inside, number->constructed ? number->child() : Result<BerElement>(*number));
      LONGLINE_TRY(extension.number, inside.integer());
    } else {
      LONGLINE_TRY(const BerElement oid, require(parts, context(3), "an extension"));
      LONGLINE_TRY(extension.oid, oid.oid());
    }
    if (const BerElement* criticality = find(parts, context(1))) {
      LONGLINE_TRY(extension.criticality, criticality->bits());
    }
    const BerElement* value = find(parts, context(2));
    if (internal_trace != nullptr && extension.oid.empty() && extension.number == kInternalTrace && value != nullptr) {
      LONGLINE_TRY(const BerElement inside, value->child());
      LONGLINE_TRY(*internal_trace, read_internal_trace(inside));
      continue;
    }
    if (value != nullptr) {
      LONGLINE_TRY(const BerElement inside, value->child());
      extension.value = inside.whole;
    }
    extensions.push_back(std::move(extension));
  }
  return {};
}

BitString recipient_indicators(bool responsible, ReportRequest mta, ReportRequest originator) {
  BitString bits;
  bits.bytes.assign(1, '\0');
  if (responsible) bits.set(0);
  // The MTA's own request is not optional: one of both bits is always on.
  bits.set(mta == ReportRequest::report ? 1 : 2);
  if (originator != ReportRequest::none) bits.set(originator == ReportRequest::report ? 3 : 4);
  return bits;
}

Result<std::vector<BerElement>> recipients_in(const std::vector<BerElement>& fields, Tag tag, std::string_view whose) {
  LONGLINE_TRY(const BerElement set, require(fields, tag, whose));
  LONGLINE_TRY(auto recipients, set.children());
  if (recipients.empty() || recipients.size() > kMostRecipients) return bad_field(fmt::format("{} with {} recipients", whose, recipients.size()));
  return recipients;
}

void take_indicators(const BitString& bits, bool* responsible, ReportRequest& mta, ReportRequest& originator) {
  if (responsible != nullptr) *responsible = bits.bit(0);
  mta = bits.bit(1) ? ReportRequest::report : ReportRequest::non_delivery;
  originator = bits.bit(3) ? ReportRequest::report : bits.bit(4) ? ReportRequest::non_delivery : ReportRequest::none;
}

void write_wrapper(BerWriter& w, Tag apdu, std::uint64_t length) {
  BerWriter reference;
  reference.integer(kMtseContext);
  const std::uint64_t whole = header_size(apdu, length) + length;
  w.header(tags::kExternal, true, reference.bytes().size() + header_size(context(0), whole) + whole);
  w.raw(reference.bytes());
  w.header(context(0), true, whole);
  w.header(apdu, true, length);
}

}  // namespace p1
}  // namespace longline::x400
