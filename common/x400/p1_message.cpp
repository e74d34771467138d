// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "x400/p1_fields.hpp"

namespace longline::x400 {
namespace {

using namespace p1;

enum Indicator : std::size_t { disclosure = 0, no_conversion = 1, alternate_allowed = 2, content_return = 3 };

void write_recipient(BerWriter& w, const EnvelopeRecipient& recipient) {
  w.set([&] {
    write_or_name(w, recipient.name);
    w.integer(recipient.number, context(0));
    w.bits(recipient_indicators(recipient.responsible, recipient.mta_report, recipient.originator_report), context(1));
    write_extensions(w, context(3), recipient.extensions, {});
  });
}

void write_envelope(BerWriter& w, const MessageEnvelope& envelope) {
  w.set([&] {
    write_id(w, envelope.id);
    write_or_name(w, envelope.originator);
    write_content_type(w, envelope.content_type);
    if (!envelope.content_id.empty()) w.primitive(kContentId, printable(envelope.content_id, kContentIdBound));
    if (envelope.priority != P1Priority::normal) w.integer(static_cast<std::int64_t>(envelope.priority), kPriority);
    BitString indicators;
    if (envelope.disclose_recipients) indicators.set(disclosure);
    if (envelope.conversion_prohibited) indicators.set(no_conversion);
    if (envelope.alternate_recipient_allowed) indicators.set(alternate_allowed);
    if (envelope.return_content) indicators.set(content_return);
    if (indicators.size() > 0) w.bits(indicators, kIndicators);
    if (envelope.deferred_until) w.utc_time(*envelope.deferred_until, context(0));
    w.constructed(context(2), [&] {
      for (const EnvelopeRecipient& recipient : envelope.recipients) write_recipient(w, recipient);
    });
    write_trace(w, envelope.trace);
    write_extensions(w, context(3), envelope.extensions, envelope.internal_trace);
  });
}

Result<EnvelopeRecipient> read_recipient(const BerElement& element) {
  LONGLINE_TRY(const auto fields, element.children());
  EnvelopeRecipient out;
  LONGLINE_TRY(const BerElement name, require(fields, application(0), "a recipient"));
  LONGLINE_TRY(out.name, read_or_name(name));
  LONGLINE_TRY(const BerElement number, require(fields, context(0), "a recipient"));
  LONGLINE_TRY(out.number, number.integer());
  LONGLINE_TRY(const BerElement indicators, require(fields, context(1), "a recipient"));
  LONGLINE_TRY(const BitString bits, indicators.bits());
  take_indicators(bits, &out.responsible, out.mta_report, out.originator_report);
  if (const BerElement* extensions = find(fields, context(3))) LONGLINE_CHECK(read_extensions(*extensions, out.extensions, nullptr));
  return out;
}

}  // namespace

std::string message_prefix(const MessageEnvelope& envelope, std::uint64_t content_size) {
  BerWriter inside;
  write_envelope(inside, envelope);
  inside.header(tags::kOctetString, false, content_size);
  BerWriter w;
  write_wrapper(w, context(0), inside.bytes().size() + content_size);
  w.raw(inside.bytes());
  return w.take();
}

Result<MessageEnvelope> read_envelope(const BerElement& set) {
  if (!set.is(tags::kSet)) return Error(Errc::malformed, fmt::format("P1: a message whose envelope is {}, not a SET", to_string(set.tag)));
  LONGLINE_TRY(const auto fields, set.children());
  MessageEnvelope out;
  LONGLINE_TRY(const BerElement id, require(fields, kMtsId, "an envelope"));
  LONGLINE_TRY(out.id, read_id(id));
  LONGLINE_TRY(const BerElement originator, require(fields, application(0), "an envelope"));
  LONGLINE_TRY(out.originator, read_or_name(originator));
  LONGLINE_TRY(const auto type, read_content_type(fields));
  if (!type) return Error(Errc::malformed, "P1: an envelope without a content type");
  out.content_type = *type;
  if (const BerElement* content_id = find(fields, kContentId)) {
    LONGLINE_TRY(out.content_id, short_text(*content_id, kLongestContentId));
  }
  if (const BerElement* priority = find(fields, kPriority)) {
    LONGLINE_TRY(const std::int64_t number, priority->integer());
    if (number == 1 || number == 2) out.priority = static_cast<P1Priority>(number);
  }
  BitString indicators;
  if (const BerElement* field = find(fields, kIndicators)) {
    LONGLINE_TRY(indicators, field->bits());
  }
  out.disclose_recipients = indicators.bit(disclosure);
  out.conversion_prohibited = indicators.bit(no_conversion);
  out.alternate_recipient_allowed = indicators.bit(alternate_allowed);
  out.return_content = indicators.bit(content_return);
  if (const BerElement* deferred = find(fields, context(0))) {
    LONGLINE_TRY(out.deferred_until, deferred->utc_time());
  }
  LONGLINE_TRY(const auto recipients, recipients_in(fields, context(2), "an envelope"));
  for (const BerElement& recipient : recipients) {
    LONGLINE_TRY(out.recipients.emplace_back(), read_recipient(recipient));
  }
  LONGLINE_TRY(const BerElement trace, require(fields, kTrace, "an envelope"));
  LONGLINE_TRY(out.trace, read_trace(trace));
  if (const BerElement* extensions = find(fields, context(3))) LONGLINE_CHECK(read_extensions(*extensions, out.extensions, &out.internal_trace));
  return out;
}

}  // namespace longline::x400
