// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "mail/mime_header.hpp"
#include "x400/ipm_parts.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kMostTraceLines = 50;
constexpr Tag kSubjectIpm = application(11);

std::string domain_text(const GlobalDomain& domain) {
  OrName name;
  name.country = domain.country;
  name.admd = domain.admd;
  name.prmd = domain.prmd;
  return field_text(to_slash_text(name));
}

std::string_view action_text(bool rerouted) { return rerouted ? "Rerouted" : "Relayed"; }

/// RFC 2156, 2.3.1.2 and 4.7.2: the newest first, as Received stands in a header.
std::string trace_fields(const MessageEnvelope& envelope) {
  std::string out;
  std::size_t lines = 0;
  for (auto element = envelope.internal_trace.rbegin(); element != envelope.internal_trace.rend() && lines < kMostTraceLines; ++element, ++lines) {
    out += fmt::format("X400-Received: by mta {} in {};\r\n {}; {}\r\n", field_text(element->mta), domain_text(element->domain), action_text(element->rerouted),
                       format_rfc5322(element->arrival));
  }
  for (auto element = envelope.trace.rbegin(); element != envelope.trace.rend() && lines < kMostTraceLines; ++element, ++lines) {
    out += fmt::format("X400-Received: by {};\r\n {}; {}\r\n", domain_text(element->domain), action_text(element->rerouted), format_rfc5322(element->arrival));
  }
  return out;
}

std::string envelope_fields(const MessageEnvelope& envelope) {
  std::string out = trace_fields(envelope);
  out += fmt::format("X400-MTS-Identifier: [{};{}]\r\n", domain_text(envelope.id.domain), field_text(envelope.id.local));
  if (envelope.priority != P1Priority::normal) {
    out += fmt::format("Priority: {}\r\n", envelope.priority == P1Priority::urgent ? "urgent" : "non-urgent");
  }
  if (!envelope.trace.empty()) out += fmt::format("Date: {}\r\n", format_rfc5322(envelope.trace.front().arrival));
  auto seven_bit = mail::seven_bit_header(out, false);
  return seven_bit ? std::move(*seven_bit) : out;
}

struct Notification {
  IpmId subject;
  std::string words;
};

Result<Notification> read_notification(const BerElement& element) {
  LONGLINE_TRY(const auto fields, element.children());
  LONGLINE_TRY(const BerElement subject, require(fields, kSubjectIpm, "a notification"));
  Notification out;
  LONGLINE_TRY(const auto parts, subject.children());
  for (const BerElement& part : parts) {
    if (part.is(application(0))) {
      LONGLINE_TRY(out.subject.user, read_or_name(part));
    } else {
      LONGLINE_TRY(out.subject.local, part.octets());
    }
  }
  LONGLINE_TRY(const BerElement choice, require(fields, context(0), "a notification"));
  LONGLINE_TRY(const BerElement kind, choice.child());
  LONGLINE_TRY(const auto details, kind.children());
  const BerElement* first = find(details, context(0));
  if (kind.is(context(1))) {
    const auto time = first != nullptr ? first->utc_time() : Result<WallTime>(Error(Errc::malformed, ""));
    out.words = "was received" + (time ? " at " + format_rfc5322(*time) : std::string());
    return out;
  }
  const auto reason = first != nullptr ? first->integer() : Result<std::int64_t>(0);
  out.words = reason && *reason == 1 ? "was not read: it was forwarded automatically" : "was not read: it was discarded";
  return out;
}

std::string notification_message(const Notification& notification, const MessageEnvelope& envelope, const AddressMapping& mapping) {
  const std::string id = message_id_of(notification.subject, mapping);
  const std::string from = person_text({envelope.originator, ""}, mapping);
  std::string out = envelope_fields(envelope);
  if (!from.empty()) out += fmt::format("From: {}\r\n", from);
  out += fmt::format("Subject: Notification about your message\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: {}\r\nMIME-Version: 1.0\r\n", id);
  const Entity text = text_entity(fmt::format("Your message {}\r\n{}.\r\n", id, notification.words));
  return out + text.fields + "\r\n" + text.body;
}

}  // namespace

Result<std::string> mail_from_ipm(std::string_view content, const MessageEnvelope& envelope, const AddressMapping& mapping, std::string_view unique) {
  BerLimits limits;
  limits.length = std::max(limits.length, content.size());
  LONGLINE_TRY(const BerElement object, BerReader::only(content, limits));
  if (object.is(context(1))) {
    LONGLINE_TRY(const Notification notification, read_notification(object));
    return notification_message(notification, envelope, mapping);
  }
  if (!object.is(context(0))) return Error(Errc::malformed, fmt::format("{} is neither an interpersonal message nor a notification", to_string(object.tag)));
  LONGLINE_TRY(const auto ipm, object.children());
  return BodyParts(mapping, unique).message(ipm, envelope_fields(envelope), 0);
}

}  // namespace longline::x400
