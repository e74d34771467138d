// SPDX-License-Identifier: MIT
#include "x400/outgoing_envelope.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "x400/p1_fields.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestOwnText = 400;
constexpr std::uint64_t kMostReturned = 50'000;

ReportRequest request_of(const mail::DsnWish& wish, bool null_sender) {
  if (null_sender) return ReportRequest::none;
  if (wish.wants_success()) return ReportRequest::report;
  return wish.wants_failure() ? ReportRequest::non_delivery : ReportRequest::none;
}

mail::RecipientResult refusal(const std::string& address, const Error& error) {
  return {address, mail::Outcome::refused, 0, "5.1.3", escape_at_most(error.what, kLongestOwnText)};
}

}  // namespace

P1Priority to_p1_priority(int priority) {
  if (priority >= mail::kUrgent) return P1Priority::urgent;
  return priority <= mail::kLow ? P1Priority::non_urgent : P1Priority::normal;
}

int to_queue_priority(P1Priority priority) {
  switch (priority) {
    case P1Priority::urgent: return mail::kUrgent;
    case P1Priority::non_urgent: return mail::kLow;
    case P1Priority::normal: break;
  }
  return mail::kNormal;
}

std::string make_local_id(std::string_view queue_id, WallTime arrived, std::string_view mta) {
  std::string time = encode_utc_time(arrived);
  time.pop_back();
  return p1::ia5(fmt::format("{}.{}.{}", queue_id, time, mta), p1::kLongestLocalId);
}

std::string queue_id_of(std::string_view local_id) {
  const std::string_view id = local_id.substr(0, local_id.find('.'));
  return mail::parse_id(id) ? std::string(id) : std::string();
}

Result<OutgoingEnvelope> make_envelope(const OutgoingMail& mail, const OurMta& ours, const AddressMapping& mapping) {
  OutgoingEnvelope out;
  MessageEnvelope& envelope = out.envelope;
  LONGLINE_TRY(envelope.originator, to_or_name(mail.sender, mapping));
  envelope.id = {ours.domain, make_local_id(mail.id, mail.arrived, ours.name)};
  envelope.content_type = mail.content_type;
  envelope.content_id = p1::printable(mail.id, 16);
  envelope.priority = to_p1_priority(mail.priority);
  envelope.return_content = mail.dsn.ret == "FULL" && mail.size <= kMostReturned;
  for (const std::string& address : mail.recipients) {
    auto name = to_or_name(address, mapping);
    if (!name) {
      out.refused.push_back(refusal(address, name.error()));
      continue;
    }
    EnvelopeRecipient& added = envelope.recipients.emplace_back();
    added.name = std::move(*name);
    added.number = static_cast<std::int64_t>(envelope.recipients.size());
    added.originator_report = request_of(mail.dsn.of(address), mail.sender.empty());
    if (added.originator_report == ReportRequest::report) added.mta_report = ReportRequest::report;
    out.recipients.push_back(address);
  }
  add_trace(envelope.trace, envelope.internal_trace, ours, mail.arrived);
  return out;
}

}  // namespace longline::x400
