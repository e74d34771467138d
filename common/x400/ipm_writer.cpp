// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "mail/message.hpp"
#include "x400/encoded_words.hpp"
#include "x400/ipm.hpp"
#include "x400/ipm_own_part.hpp"
#include "x400/ipm_people.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestOwnId = 64;
constexpr std::size_t kLongestExcerpt = 4096;
constexpr int kDeepestOwnParts = 8;
constexpr std::size_t kMostReferences = 20;

bool is_ia5(char c) { return (c >= ' ' && c < 0x7F) || c == '\r' || c == '\n' || c == '\t' || c == '\f'; }

/// The value of a parameter of Content-Type, in lower case; "" without it.
std::string parameter(std::string_view field, std::string_view name) {
  const std::string wanted = std::string(name) + '=';
  const std::string lower = to_lower(field);
  for (std::size_t at = lower.find(wanted); at != std::string::npos; at = lower.find(wanted, at + 1)) {
    if (at > 0 && lower[at - 1] != ';' && lower[at - 1] != ' ' && lower[at - 1] != '\t') continue;
    const std::string_view value = field.substr(at + wanted.size());
    if (value.starts_with('"')) return std::string(value.substr(1, std::min(value.find('"', 1), value.size()) - 1));
    return std::string(trim(value.substr(0, value.find_first_of("; \t"))));
  }
  return {};
}

struct Type {
  std::string name;       ///< "text/plain"
  std::string field;
  std::string encoding;   ///< "7bit", "base64" …
};

Type type_of(std::string_view entity) {
  Type out;
  out.field = mail::header_field(entity, "Content-Type").value_or("text/plain");
  out.name = to_lower(trim(std::string_view(out.field).substr(0, out.field.find(';'))));
  out.encoding = to_lower(mail::header_field(entity, "Content-Transfer-Encoding").value_or("7bit"));
  return out;
}

/// Whether the body says the same as an IA5Text body part.
bool is_plain(std::string_view stored) {
  const Type type = type_of(stored);
  if (type.name != "text/plain" || (type.encoding != "7bit" && type.encoding != "8bit" && type.encoding != "binary")) return false;
  const std::size_t header = mail::header_of(stored).size();
  return stored.substr(header).starts_with("\r\n") && std::all_of(stored.begin() + static_cast<std::ptrdiff_t>(header), stored.end(), is_ia5);
}

/// The first part of a multipart; nullopt: it has none.
std::optional<std::string_view> first_part(std::string_view body, const std::string& boundary) {
  if (boundary.empty()) return std::nullopt;
  const std::string delimiter = "--" + boundary;
  std::size_t from = body.starts_with(delimiter) ? 0 : body.find("\r\n" + delimiter);
  if (from == std::string_view::npos) return std::nullopt;
  from = body.find("\r\n", from + (from == 0 ? 0 : 2));
  if (from == std::string_view::npos) return std::nullopt;
  const std::string_view part = body.substr(from + 2);
  return part.substr(0, part.find("\r\n" + delimiter));
}

/// The start of the message's text, for somebody who has nothing else.
std::string excerpt(std::string_view entity) {
  for (int depth = 0; depth < kDeepestOwnParts; ++depth) {
    const Type type = type_of(entity);
    if (type.name.starts_with("multipart/")) {
      const auto part = first_part(mail::body_of(entity), parameter(type.field, "boundary"));
      if (!part) return {};
      entity = *part;
      continue;
    }
    if (type.name != "text/plain") return {};
    const std::string_view body = mail::body_of(entity).substr(0, 4 * kLongestExcerpt);
    std::string text = type.encoding == "quoted-printable" ? decode_quoted_printable(body)
                       : type.encoding == "base64"         ? decode_base64_lines(body.substr(0, body.rfind('\n')))
                                                           : std::string(body);
    std::string out;
    for (const char c : text) {
      if (out.size() >= kLongestExcerpt) return out + "\r\n[...]\r\n";
      if (is_ia5(c)) out += c;
      else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) out += '?';   // one for each character of UTF-8
    }
    return out;
  }
  return {};
}

/// Message-ID for a PrintableString of 64 characters; a longer one by its hash (FNV-1a): the message itself is with it.
std::string local_id(std::string_view message_id) {
  const std::string encoded = encode_printable(message_id);
  if (!encoded.empty() && encoded.size() <= kLongestOwnId) return encoded;
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : message_id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return fmt::format("longline-{:016x}", hash);
}

/// The message identifiers of a field, with their angle brackets.
std::vector<IpmId> identifiers(std::string_view stored, std::string_view field) {
  std::vector<IpmId> out;
  const std::string body = mail::header_field(stored, field).value_or("");
  for (std::size_t from = body.find('<'); from != std::string::npos && out.size() < kMostReferences; from = body.find('<', from + 1)) {
    const std::size_t end = body.find('>', from);
    if (end == std::string::npos) break;
    out.push_back({std::nullopt, local_id(body.substr(from, end + 1 - from))});
  }
  return out;
}

IpmHeading heading_of(std::string_view stored, std::string_view sender, const AddressMapping& mapping) {
  IpmHeading out;
  out.id.local = local_id(mail::header_field(stored, "Message-ID").value_or(""));
  const std::vector<OrDescriptor> from = people_of(stored, "From", mapping);
  const std::vector<OrDescriptor> sent_by = people_of(stored, "Sender", mapping);
  if (!sent_by.empty()) {
    out.originator = sent_by.front();
    out.authorizing = from;
  } else if (!from.empty()) {
    out.originator = from.front();
    if (from.size() > 1) out.authorizing = from;
  } else if (auto name = to_or_name(sender, mapping)) {
    out.originator = OrDescriptor{std::move(*name), ""};
  }
  if (out.originator) out.id.user = out.originator->name;
  out.primary = people_of(stored, "To", mapping);
  out.copy = people_of(stored, "Cc", mapping);
  out.reply_to = people_of(stored, "Reply-To", mapping);
  const auto replied = identifiers(stored, "In-Reply-To");
  if (!replied.empty()) out.replied_to = replied.front();
  out.related = identifiers(stored, "References");
  out.subject = decode_words(mail::header_field(stored, "Subject").value_or(""));
  const std::string importance = mail::header_field(stored, "Importance").value_or("");
  if (iequals(importance, "high")) out.importance = Importance::high;
  if (iequals(importance, "low")) out.importance = Importance::low;
  const std::string sensitivity = mail::header_field(stored, "Sensitivity").value_or("");
  if (iequals(sensitivity, "personal")) out.sensitivity = Sensitivity::personal;
  if (iequals(sensitivity, "private")) out.sensitivity = Sensitivity::confidential;
  if (iequals(sensitivity, "company-confidential")) out.sensitivity = Sensitivity::company;
  return out;
}

/// IPM {heading, body} with headers only for what the body's parts do not have yet: their size is `parts`.
std::string opening(const std::string& heading, std::uint64_t parts) {
  BerWriter w;
  const std::uint64_t body = header_size(tags::kSequence, parts) + parts;
  w.header(context(0), true, heading.size() + body);
  w.raw(heading);
  w.header(tags::kSequence, true, parts);
  return w.take();
}

/// IA5TextBodyPart up to its text.
std::string ia5_opening(std::uint64_t size) {
  BerWriter w;
  BerWriter repertoire;
  repertoire.set([] {});
  const std::uint64_t text = header_size(tags::kIa5String, size) + size;
  w.header(context(0), true, repertoire.bytes().size() + text);
  w.raw(repertoire.bytes());
  w.header(tags::kIa5String, false, size);
  return w.take();
}

/// BilaterallyDefinedBodyPart up to the bytes behind its marker.
std::string own_opening(std::string_view marker, std::uint64_t size) {
  BerWriter w;
  w.header(context(14), false, marker.size() + size);
  return w.take() + std::string(marker);
}

}  // namespace

IpmLayout layout_ipm(std::string_view stored, std::string_view sender, const AddressMapping& mapping) {
  BerWriter w;
  write_heading(w, heading_of(stored, sender, mapping));
  const std::string heading = w.take();
  IpmLayout out;
  if (is_plain(stored)) {
    const std::string_view header = mail::header_of(stored);
    out.from = header.size() + 2;
    out.size = stored.size() - out.from;
    const std::string text = ia5_opening(out.size);
    out.after = own_opening(kHeaderMarker, header.size()) + std::string(header);
    out.before = opening(heading, text.size() + out.size + out.after.size()) + text;
    return out;
  }
  std::string note = excerpt(stored);
  note += "\r\n[The whole message is the next part of this one, in the form of Internet mail (RFC 5322).]\r\n";
  const std::string text = ia5_opening(note.size()) + note;
  const std::string own = own_opening(kMessageMarker, stored.size());
  out.size = stored.size();
  out.before = opening(heading, text.size() + own.size() + out.size) + text + own;
  return out;
}

}  // namespace longline::x400
