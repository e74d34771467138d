// SPDX-License-Identifier: MIT
#include "x400/report_mail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "x400/non_delivery.hpp"
#include "x400/outgoing_envelope.hpp"
#include "x400/p1_fields.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestReason = 400;
constexpr std::size_t kLongestShownSupplementary = 256;

bool from_null_sender(const MessageEnvelope& envelope) {
  const auto sender = to_mailbox(envelope.originator, {});
  return sender && sender->empty();
}

bool wanted(const EnvelopeRecipient& recipient, bool delivered, bool null_sender) {
  if (delivered) return recipient.originator_report == ReportRequest::report || recipient.mta_report == ReportRequest::report;
  return !null_sender || recipient.originator_report != ReportRequest::none;
}

std::string printed(const OrName& name, const AddressMapping& mapping) {
  auto mailbox = to_mailbox(name, mapping);
  return mailbox ? std::move(*mailbox) : std::string();
}

mail::RecipientResult result_of(const ReportedRecipient& recipient, const AddressMapping& mapping) {
  mail::RecipientResult out;
  out.address = printed(recipient.intended.value_or(recipient.actual), mapping);
  if (recipient.delivered) {
    out.outcome = mail::Outcome::sent;
    out.enhanced = "2.1.5";
    out.text = "delivered " + format_iso8601(*recipient.delivered);
    return out;
  }
  const NonDelivery code{recipient.reason, recipient.diagnostic};
  out.outcome = mail::Outcome::refused;
  out.enhanced = enhanced_status(code);
  out.text = non_delivery_text(code);
  if (!recipient.supplementary.empty()) out.text += " (" + escape_at_most(recipient.supplementary, kLongestReason - out.text.size() - 6) + ')';
  return out;
}

mail::DsnRequest request_for(const Report& report, mail::DsnAction action, const std::string& sender, std::string_view host, std::string_view unique,
                             WallTime now) {
  mail::DsnRequest out;
  out.action = action;
  out.original_sender = sender;
  const bool is_mail = report.returned_content && report.content_type.value_or(ContentType{}) == ContentType{};
  if (is_mail) out.original_content = *report.returned_content;
  out.return_full = is_mail;
  out.arrived = report.recipients.empty() ? now : report.recipients.front().arrival;
  out.host = host;
  out.unique = fmt::format("{}{}", unique, action == mail::DsnAction::failed ? "f" : "d");
  out.now = now;
  return out;
}

}  // namespace

std::optional<Report> make_report(const MessageEnvelope& subject, const std::vector<DeliveryOutcome>& outcomes, const OurMta& ours, const MtsId& id,
                                  WallTime now) {
  const bool null_sender = from_null_sender(subject);
  Report out;
  for (const DeliveryOutcome& outcome : outcomes) {
    const auto recipient = std::find_if(subject.recipients.begin(), subject.recipients.end(),
                                        [&](const EnvelopeRecipient& r) { return r.number == outcome.number && r.responsible; });
    if (recipient == subject.recipients.end() || !wanted(*recipient, outcome.delivered, null_sender)) continue;
    ReportedRecipient& added = out.recipients.emplace_back();
    added.actual = recipient->name;
    added.number = recipient->number;
    added.mta_report = recipient->mta_report;
    added.originator_report = recipient->originator_report;
    added.arrival = subject.trace.empty() ? now : subject.trace.back().arrival;
    if (outcome.delivered) {
      added.delivered = outcome.when;
      continue;
    }
    const NonDelivery code = from_enhanced_status(outcome.enhanced);
    added.reason = code.reason;
    added.diagnostic = code.diagnostic;
    added.supplementary = p1::printable(outcome.text, kLongestShownSupplementary);
  }
  if (out.recipients.empty()) return std::nullopt;
  out.id = id;
  out.destination = subject.originator;
  add_trace(out.trace, out.internal_trace, ours, now);
  out.subject = subject.id;
  out.content_type = subject.content_type;
  out.content_id = subject.content_id;
  return out;
}

Result<ReportNews> read_news(const Report& report, const AddressMapping& mapping, std::string_view reporting_mta, std::string_view host,
                             std::string_view unique, WallTime now) {
  ReportNews out;
  LONGLINE_TRY(out.sender, to_mailbox(report.destination, mapping));
  out.queue_id = queue_id_of(report.subject.local);
  mail::DsnRequest failed = request_for(report, mail::DsnAction::failed, out.sender, host, unique, now);
  mail::DsnRequest delivered = request_for(report, mail::DsnAction::delivered, out.sender, host, unique, now);
  for (const ReportedRecipient& recipient : report.recipients) {
    mail::RecipientResult result = result_of(recipient, mapping);
    const bool good = result.outcome == mail::Outcome::sent;
    const bool tell = good ? recipient.originator_report == ReportRequest::report : recipient.originator_report != ReportRequest::none;
    if (tell && !out.sender.empty()) {
      mail::DsnRecipient told;
      told.address = result.address.empty() ? to_slash_text(recipient.actual) : result.address;
      told.enhanced = result.enhanced;
      told.text = result.text;
      told.remote_mta = reporting_mta;
      (good ? delivered : failed).failed.push_back(std::move(told));
    }
    out.results.push_back(std::move(result));
  }
  for (mail::DsnRequest* request : {&failed, &delivered}) {
    if (!request->failed.empty()) out.notifications.push_back(std::move(*request));
  }
  return out;
}

}  // namespace longline::x400
