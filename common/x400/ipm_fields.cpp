// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "mail/mime_header.hpp"
#include "x400/ipm_parts.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestHeaderField = 900;

bool is_message_id(std::string_view text) {
  const bool shape = text.size() > 4 && text.size() < 250 && text.front() == '<' && text.back() == '>' && text.find('@') != std::string_view::npos;
  return shape && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; }) && text.find('<', 1) == std::string_view::npos &&
         text.find('>') == text.size() - 1;
}

std::uint32_t hash(std::string_view text) {
  std::uint32_t out = 0x811C9DC5;
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x01000193;
  return out;
}

void put(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out += fmt::format("{}: {}\r\n", name, value);
}

std::string people_text(const std::vector<OrDescriptor>& people, const AddressMapping& mapping) {
  std::string out;
  for (const OrDescriptor& person : people) {
    const std::string one = person_text(person, mapping);
    if (!one.empty()) out += (out.empty() ? "" : ",\r\n ") + one;
  }
  return out;
}

std::string ids_text(const std::vector<IpmId>& ids, const AddressMapping& mapping) {
  std::string out;
  for (const IpmId& id : ids) out += (out.empty() ? "" : "\r\n ") + message_id_of(id, mapping);
  return out;
}

}  // namespace

std::string field_text(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestHeaderField)) out += is_control(c) ? ' ' : c;
  // Not within a character.
  if (text.size() > kLongestHeaderField) {
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
  }
  return out;
}

std::string message_id_of(const IpmId& id, const AddressMapping& mapping) {
  const std::string before = decode_printable(id.local);
  if (is_message_id(before)) return before;
  std::string local;
  for (const char c : id.local.substr(0, 64)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    local += plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned char>(c));
  }
  const std::string user = id.user ? to_slash_text(*id.user) : std::string();
  return fmt::format("<x400-{:08x}-{}@{}>", hash(user), local, mapping.gateway_domain.empty() ? "x400.invalid" : mapping.gateway_domain);
}

std::string person_text(const OrDescriptor& person, const AddressMapping& mapping) {
  const std::string shown = field_text(person.free_form);
  if (person.name) {
    const auto mailbox = to_mailbox(*person.name, mapping);
    if (mailbox && !mailbox->empty()) return shown.empty() ? *mailbox : fmt::format("{} <{}>", mail::phrase(shown), *mailbox);
  }
  // An empty group: somebody who has no address here.
  const std::string name = shown.empty() && person.name ? field_text(to_slash_text(*person.name)) : shown;
  return name.empty() ? std::string() : mail::phrase(name) + ":;";
}

std::string heading_fields(const IpmHeading& heading, const AddressMapping& mapping) {
  std::string out;
  const std::string originator = heading.originator ? person_text(*heading.originator, mapping) : std::string();
  const std::string authorizing = people_text(heading.authorizing, mapping);
  put(out, "From", authorizing.empty() ? originator : authorizing);
  if (!authorizing.empty()) put(out, "Sender", originator);
  put(out, "To", people_text(heading.primary, mapping));
  put(out, "Cc", people_text(heading.copy, mapping));
  put(out, "Bcc", people_text(heading.blind_copy, mapping));
  put(out, "Reply-To", people_text(heading.reply_to, mapping));
  put(out, "Subject", field_text(heading.subject));
  put(out, "Message-ID", message_id_of(heading.id, mapping));
  if (heading.replied_to) put(out, "In-Reply-To", message_id_of(*heading.replied_to, mapping));
  put(out, "References", ids_text(heading.related, mapping));
  put(out, "Supersedes", ids_text(heading.obsoleted, mapping));
  if (heading.expiry) put(out, "Expires", format_rfc5322(*heading.expiry));
  if (heading.reply_by) put(out, "Reply-By", format_rfc5322(*heading.reply_by));
  if (heading.importance != Importance::normal) put(out, "Importance", heading.importance == Importance::high ? "high" : "low");
  switch (heading.sensitivity) {
    case Sensitivity::none: break;
    case Sensitivity::personal: put(out, "Sensitivity", "Personal"); break;
    case Sensitivity::confidential: put(out, "Sensitivity", "Private"); break;
    case Sensitivity::company: put(out, "Sensitivity", "Company-Confidential"); break;
  }
  if (heading.auto_forwarded) put(out, "Autoforwarded", "TRUE");
  auto seven_bit = mail::seven_bit_header(out, false);
  return seven_bit ? std::move(*seven_bit) : out;
}

}  // namespace longline::x400
