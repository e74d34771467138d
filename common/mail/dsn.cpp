// SPDX-License-Identifier: MIT
#include "mail/dsn.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kMostHeader = 16 * 1024;

/// For the machine-readable part, which is ASCII.
std::string ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_high(c)) out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    else if (c >= ' ' && c != 0x7F) out += c;
  }
  return out;
}

/// Whole fields only.
std::string_view bounded_header(std::string_view content) {
  std::string_view header = header_of(content);
  if (header.size() <= kMostHeader) return header;
  std::size_t end = header.rfind("\r\n", kMostHeader);
  while (end != std::string_view::npos && end > 0 && end + 2 < header.size() && (header[end + 2] == ' ' || header[end + 2] == '\t')) {
    end = header.rfind("\r\n", end - 1);
  }
  return end == std::string_view::npos ? std::string_view() : header.substr(0, end + 2);
}

struct ActionWords {
  std::string_view action, status, subject, before, after;
};

const ActionWords& words_of(DsnAction action) {
  static const ActionWords kFailed{"failed", "5.0.0", "Undelivered Mail Returned to Sender", "Your message could not be delivered to:",
                                   "It will not be tried again."};
  static const ActionWords kDelayed{"delayed", "4.0.0", "Delayed Mail (still being retried)", "Your message could not be delivered yet to:",
                                    "It is kept and tried again; you need not send it again."};
  static const ActionWords kDelivered{"delivered", "2.0.0", "Successful Mail Delivery Report", "Your message was delivered to:", ""};
  static const ActionWords kRelayed{"relayed", "2.0.0", "Successful Mail Delivery Report",
                                    "Your message was passed on to a system that sends no further reports, for:", ""};
  switch (action) {
    case DsnAction::delayed: return kDelayed;
    case DsnAction::delivered: return kDelivered;
    case DsnAction::relayed: return kRelayed;
    case DsnAction::failed: break;
  }
  return kFailed;
}

/// Only what is still tried is given up one day (RFC 3464, 2.3.9).
std::optional<std::string> retried_until(const DsnRequest& request) {
  if (request.action != DsnAction::delayed || !request.retry_until) return std::nullopt;
  return format_rfc5322(*request.retry_until);
}

std::string said(const DsnRecipient& recipient) {
  if (recipient.code == 0) return recipient.text;
  const std::string enhanced = recipient.enhanced.empty() ? "" : recipient.enhanced + ' ';
  return fmt::format("{} {}{}", recipient.code, enhanced, recipient.text);
}

std::string text_part(const DsnRequest& request) {
  const ActionWords& words = words_of(request.action);
  std::string out = fmt::format("This is the mail system of {}. {}\r\n\r\n", request.host, words.before);
  for (const DsnRecipient& recipient : request.failed) {
    const std::string who = recipient.remote_mta.empty() ? "" : escape(recipient.remote_mta) + " says: ";
    const std::string what = said(recipient);
    out += fmt::format("<{}>{}{}{}\r\n", escape(recipient.address), what.empty() ? "" : ": ", what.empty() ? "" : who, what);
  }
  out += "\r\n";
  if (!words.after.empty()) out += fmt::format("{} ", words.after);
  if (const auto until = retried_until(request)) out += fmt::format("It will be given up on {}. ", *until);
  return out + "The header of your message is below.\r\n";
}

std::string status_part(const DsnRequest& request) {
  const ActionWords& words = words_of(request.action);
  std::string out;
  if (!request.envelope_id.empty()) out += fmt::format("Original-Envelope-Id: {}\r\n", ascii(decode_xtext(request.envelope_id)));
  out += fmt::format("Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n", ascii(request.host), format_rfc5322(request.arrived));
  for (const DsnRecipient& recipient : request.failed) {
    out += "\r\n";
    if (!recipient.original.empty()) out += fmt::format("Original-Recipient: {}\r\n", ascii(decode_xtext(recipient.original)));
    // The class of a status is the action's (RFC 3464, 2.3.4).
    const bool fits = !recipient.enhanced.empty() && recipient.enhanced.front() == words.status.front();
    const std::string status = fits ? ascii(recipient.enhanced) : std::string(words.status);
    out += fmt::format("Final-Recipient: rfc822; {}\r\nAction: {}\r\nStatus: {}\r\n", ascii(recipient.address), words.action, status);
    if (!recipient.remote_mta.empty()) out += fmt::format("Remote-MTA: dns; {}\r\n", ascii(recipient.remote_mta));
    if (recipient.code != 0) out += fmt::format("Diagnostic-Code: smtp; {}\r\n", ascii(said(recipient)));
    if (const auto until = retried_until(request)) out += fmt::format("Will-Retry-Until: {}\r\n", *until);
  }
  return out;
}

/// A part of the report; 8-bit ones say so.
std::string part(std::string_view boundary, std::string_view type, std::string_view body) {
  const bool eight_bit = std::any_of(body.begin(), body.end(), is_high);
  return fmt::format("--{}\r\nContent-Type: {}\r\n{}\r\n{}\r\n", boundary, type, eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "", body);
}

}  // namespace

std::string decode_xtext(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const std::size_t high = i + 2 < text.size() ? kDigits.find(text[i + 1]) : std::string_view::npos;
    const std::size_t low = i + 2 < text.size() ? kDigits.find(text[i + 2]) : std::string_view::npos;
    if (text[i] != '+' || high == std::string_view::npos || low == std::string_view::npos) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<StoredMessage> make_dsn(const DsnRequest& request) {
  if (request.original_sender.empty()) return std::nullopt;
  const std::string boundary = "=_" + request.unique;
  const std::string text = text_part(request);
  constexpr std::size_t kMostReturned = 50'000;
  const bool full = request.return_full && request.action == DsnAction::failed && request.original_content.size() <= kMostReturned;
  const std::string_view returned = full ? request.original_content : bounded_header(request.original_content);
  const bool text_is_ascii = std::none_of(text.begin(), text.end(), is_high);
  const std::string reference = header_field(request.original_content, "Message-ID").value_or("");
  const bool good_reference = reference.size() > 2 && reference.size() < 250 && reference.starts_with('<') && reference.ends_with('>') &&
                              std::none_of(reference.begin(), reference.end(), [](char c) { return is_high(c) || c <= ' '; });

  StoredMessage dsn;
  dsn.message_id = fmt::format("<{}@{}>", request.unique, request.host);
  dsn.subject = words_of(request.action).subject;
  std::string& out = dsn.content;
  out = fmt::format(
      "Date: {}\r\nFrom: Mail Delivery System <MAILER-DAEMON@{}>\r\nTo: <{}>\r\nSubject: {}\r\nMessage-ID: {}\r\n"
      "Auto-Submitted: auto-replied\r\n",
      format_rfc5322(request.now), request.host, request.original_sender, dsn.subject, dsn.message_id);
  if (good_reference) out += fmt::format("References: {}\r\n", reference);
  out += fmt::format(
      "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{}\"\r\n\r\n", boundary);
  out += part(boundary, text_is_ascii ? "text/plain" : "text/plain; charset=utf-8", text);
  out += part(boundary, "message/delivery-status", status_part(request));
  out += part(boundary, full ? "message/rfc822" : "text/rfc822-headers", returned);
  out += fmt::format("--{}--\r\n", boundary);
  dsn.eight_bit = std::any_of(out.begin(), out.end(), is_high);
  for (const std::string_view line : split(out, '\n')) dsn.longest_line = std::max(dsn.longest_line, line.size() - (line.ends_with('\r') ? 1 : 0));
  return dsn;
}

}  // namespace longline::mail
