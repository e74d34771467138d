// SPDX-License-Identifier: MIT
#include "x400/incoming_mail.hpp"

#include <utility>

#include "base/text.hpp"
#include "x400/outgoing_envelope.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kMostMtas = 100;   // as many as SMTP lets a message pass
constexpr std::size_t kLongestEnvelopeText = 400;

std::string notify_of(ReportRequest request) {
  switch (request) {
    case ReportRequest::none: return "NEVER";
    case ReportRequest::report: return "SUCCESS,FAILURE";
    case ReportRequest::non_delivery: break;
  }
  return "";   // the default of both
}

}  // namespace

OurMta our_mta(const config::Connector& connector, const std::string& host) {
  const config::X400& x400 = connector.x400;
  return {{x400.country, x400.admd, x400.prmd}, (x400.mta_name.empty() ? host : x400.mta_name).substr(0, config::X400::kLongestName)};
}

AddressMapping address_mapping(const config::Connector& connector, const std::string& host) {
  const config::X400& x400 = connector.x400;
  return {x400.country, x400.admd, x400.prmd, to_lower(host)};
}

Result<IncomingMail> read_incoming(const MessageEnvelope& envelope, const OurMta& ours, const AddressMapping& mapping) {
  if (auto loop = find_loop(envelope.trace, envelope.internal_trace, ours, kMostMtas)) return std::move(*loop);
  if (auto unknown = find_unsupported(envelope.extensions)) return std::move(*unknown);
  IncomingMail out;
  Result<std::string> sender = to_mailbox(envelope.originator, mapping);
  if (!sender) return Error(Errc::malformed, escape_at_most(sender.error().what, kLongestEnvelopeText), Stage::transfer).context("the originator");
  out.sender = std::move(*sender);
  out.priority = to_queue_priority(envelope.priority);
  for (const EnvelopeRecipient& recipient : envelope.recipients) {
    if (!recipient.responsible) continue;
    IncomingMail::Recipient& added = out.recipients.emplace_back();
    added.number = recipient.number;
    if (const auto unknown = find_unsupported(recipient.extensions)) {
      added.why = unknown->what;
      continue;
    }
    Result<std::string> mailbox = to_mailbox(recipient.name, mapping);
    if (!mailbox || mailbox->empty()) {
      added.why = mailbox ? "nobody is addressed" : escape_at_most(mailbox.error().what, kLongestEnvelopeText);
      continue;
    }
    if (const std::string notify = notify_of(recipient.originator_report); !notify.empty()) out.wishes.recipients[*mailbox].notify = notify;
    added.mailbox = std::move(*mailbox);
  }
  if (out.recipients.empty()) return Error(Errc::refused, "the message is for nobody here", Stage::transfer);
  if (envelope.return_content) out.wishes.ret = "FULL";
  return out;
}

std::string in_stored_form(std::string content) {
  std::size_t bare = 0;
  for (std::size_t at = content.find('\n'); at != std::string::npos; at = content.find('\n', at + 1)) bare += at == 0 || content[at - 1] != '\r' ? 1 : 0;
  if (bare == 0 && content.ends_with("\r\n")) return content;
  std::string out;
  out.reserve(content.size() + bare + 2);
  for (const char c : content) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

}  // namespace longline::x400
