// SPDX-License-Identifier: MIT
#include "x400/ipm_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "mail/mime.hpp"
#include "mail/mime_header.hpp"
#include "x400/encoded_words.hpp"
#include "x400/ipm_own_part.hpp"
#include "x400/teletex.hpp"

namespace longline::x400 {
namespace {

constexpr int kDeepestParts = 8;
constexpr std::size_t kMostParts = 1000;   // each becomes a header of some hundred bytes
constexpr std::size_t kLongestLine = 998;
constexpr std::uint32_t kIa5 = 0, kTeletex = 5, kMessage = 9, kBilateral = 14, kExtended = 15;
/// id-et (X.420, annex D; ISO/IEC 10021-7): extended body part types.
constexpr std::string_view kExtendedTypes = "2.6.1.4.";

std::string_view kind_of(std::uint32_t number) {
  switch (number) {
    case 1: return "telex";
    case 2: return "voice";
    case 3: return "G3 facsimile";
    case 4: return "G4 class 1";
    case 6: return "videotex";
    case 7: return "nationally defined";
    case 8: return "encrypted";
    case 11: return "mixed-mode";
    default: return "unknown";
  }
}

/// CR, LF and CRLF end a line; the last one ends too.
std::string with_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16 + 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') continue;
    if (text[i] != '\r' && text[i] != '\n') {
      out += text[i];
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    out += "\r\n";
  }
  if (!out.empty() && !out.ends_with('\n')) out += "\r\n";
  return out;
}

bool has_long_line(std::string_view text) {
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    if (end - from > kLongestLine + 1) return true;
    from = end + 1;
  }
  return false;
}

/// The messages's own lines, as RFC 5322 wants them stored.
bool is_stored_form(std::string_view text) {
  if (!text.ends_with("\r\n")) return false;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return false;
  }
  return true;
}

/// ISO 2022 escape sequences are dropped; what they switch to is taken to be ISO 8859-1, as nearly everybody means.
std::string from_general(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1B') {
      out += text[i];
      continue;
    }
    while (i + 1 < text.size() && text[i + 1] >= 0x20 && text[i + 1] <= 0x2F) ++i;
    if (i + 1 < text.size()) ++i;
  }
  return from_latin1(out);
}

/// What an EXTERNAL holds: the element of single-ASN1-type, or nothing; octet-aligned bytes in `bytes`.
Result<std::optional<BerElement>> held_by(const std::vector<BerElement>& external, std::string& bytes) {
  if (const BerElement* single = find(external, context(0))) {
    LONGLINE_TRY(BerElement inside, single->child());
    return std::optional(std::move(inside));
  }
  if (const BerElement* aligned = find(external, context(1))) {
    LONGLINE_TRY(bytes, aligned->octets());
  }
  return std::optional<BerElement>();
}

/// FileTransferData: EXTERNALs, each a piece of the file.
Result<std::string> file_of(const BerElement& data) {
  LONGLINE_TRY(const auto pieces, data.children());
  std::string out;
  for (const BerElement& piece : pieces) {
    LONGLINE_TRY(const auto external, piece.children());
    std::string bytes;
    LONGLINE_TRY(const auto inside, held_by(external, bytes));
    if (inside) {
      LONGLINE_TRY(bytes, inside->octets());
    }
    out += bytes;
  }
  return out;
}

/// FileTransferParameters: file-attributes [4] pathname [0] (incomplete) or [23] (complete), their last string. "" where there is none.
std::string file_name(const BerElement& parameters) {
  std::string bytes;
  const auto external = parameters.children();
  if (!external) return {};
  const auto inside = held_by(*external, bytes);
  if (!inside || !*inside) return {};
  const auto fields = (*inside)->children();
  const BerElement* attributes = fields ? find(*fields, context(4)) : nullptr;
  if (attributes == nullptr) return {};
  const auto each = attributes->children();
  if (!each) return {};
  for (const Tag tag : {context(0), context(23)}) {
    const BerElement* path = find(*each, tag);
    const auto strings = path != nullptr ? path->children() : Result<std::vector<BerElement>>(std::vector<BerElement>());
    if (!strings || strings->empty()) continue;
    const auto name = strings->back().octets();
    return name ? from_latin1(*name) : std::string();
  }
  return {};
}

/// IA5TextBodyPart: parameters and data.
Result<std::string> ia5_text(const BerElement& part) {
  LONGLINE_TRY(const auto fields, part.children());
  if (fields.empty()) return Error(Errc::malformed, "an IA5Text body part without its text");
  return fields.back().octets();
}

Result<std::string> teletex_text(const BerElement& pages) {
  LONGLINE_TRY(const auto each, pages.children());
  std::string out;
  for (const BerElement& page : each) {
    LONGLINE_TRY(const std::string text, page.octets());
    if (!out.empty() && !out.ends_with('\n')) out += "\r\n";
    out += from_teletex(text);
  }
  return out;
}

}  // namespace

Entity text_entity(std::string_view text) {
  const std::string utf8 = mail::charset_of(text) == "utf-8" ? std::string(text) : from_latin1(text);
  std::string body = with_crlf(utf8);
  const bool high = std::any_of(body.begin(), body.end(), is_high);
  Entity out;
  out.fields = fmt::format("Content-Type: text/plain; charset={}\r\n", high ? "utf-8" : "us-ascii");
  if (high || has_long_line(body)) {
    out.fields += "Content-Transfer-Encoding: quoted-printable\r\n";
    body = mail::quoted_printable(body);
  }
  out.body = std::move(body);
  return out;
}

Entity attachment(std::string_view bytes, std::string_view name, std::string_view description) {
  std::string shown;
  for (const char c : name.substr(0, 200)) shown += c == '"' || c == '\\' || c == '/' || is_control(c) ? '_' : c;
  Entity out;
  out.fields = "Content-Type: application/octet-stream\r\n";
  if (!description.empty()) out.fields += fmt::format("Content-Description: {}\r\n", field_text(description));
  out.fields += shown.empty() ? "Content-Disposition: attachment\r\n" : fmt::format("Content-Disposition: attachment; filename=\"{}\"\r\n", shown);
  if (auto seven_bit = mail::seven_bit_header(out.fields, false)) out.fields = std::move(*seven_bit);
  out.fields += "Content-Transfer-Encoding: base64\r\n";
  out.body = mail::base64_lines(bytes);
  return out;
}

Entity join_entities(std::vector<Entity> parts, std::string_view boundary) {
  if (parts.empty()) return text_entity("");
  if (parts.size() == 1) return std::move(parts.front());
  Entity out;
  out.fields = fmt::format("Content-Type: multipart/mixed; boundary=\"{}\"\r\n", boundary);
  if (std::any_of(parts.begin(), parts.end(), [](const Entity& p) { return p.fields.find("Encoding: 8bit") != std::string::npos; })) {
    out.fields += "Content-Transfer-Encoding: 8bit\r\n";
  }
  for (Entity& part : parts) {
    out.body += fmt::format("--{}\r\n{}\r\n{}\r\n", boundary, part.fields, part.body);
    part.body = std::string();
  }
  out.body += fmt::format("--{}--\r\n", boundary);
  return out;
}

std::optional<std::string> own_message(const std::vector<BerElement>& body) {
  if (body.size() != 2 || !body[0].is(context(kIa5)) || !body[1].is(context(kBilateral))) return std::nullopt;
  const auto own = body[1].octets();
  if (!own) return std::nullopt;
  std::string message;
  if (own->starts_with(kMessageMarker)) {
    message = own->substr(kMessageMarker.size());
  } else if (own->starts_with(kHeaderMarker)) {
    const auto text = ia5_text(body[0]);
    if (!text) return std::nullopt;
    message = own->substr(kHeaderMarker.size()) + "\r\n" + *text;
  }
  if (!is_stored_form(message)) return std::nullopt;
  return message;
}

std::string BodyParts::boundary() { return fmt::format("=_{}-{}", unique_, ++boundaries_); }

Result<Entity> BodyParts::forwarded(const BerElement& ipm, int depth) {
  if (depth >= kDeepestParts) return attachment(ipm.whole, "", "X.400 forwarded message, nested too deeply");
  LONGLINE_TRY(const auto parts, ipm.children());
  LONGLINE_TRY(std::string inner, message(parts, "", depth + 1));
  Entity out;
  out.fields = "Content-Type: message/rfc822\r\n";
  if (std::any_of(inner.begin(), inner.end(), is_high)) out.fields += "Content-Transfer-Encoding: 8bit\r\n";
  out.body = std::move(inner);
  return out;
}

Result<Entity> BodyParts::extended(const BerElement& element, int depth) {
  LONGLINE_TRY(const auto fields, element.children());
  LONGLINE_TRY(const BerElement data, require(fields, tags::kExternal, "an extended body part"));
  LONGLINE_TRY(const auto external, data.children());
  LONGLINE_TRY(const BerElement reference, require(external, tags::kOid, "an extended body part"));
  LONGLINE_TRY(const std::string oid, reference.oid());
  std::string bytes;
  LONGLINE_TRY(const auto inside, held_by(external, bytes));
  const std::string description = "X.400 body part " + oid;
  if (!inside) return attachment(bytes, "", description);
  const std::string_view type = oid.starts_with(kExtendedTypes) ? std::string_view(oid).substr(kExtendedTypes.size()) : std::string_view();
  if (type == "0") {
    LONGLINE_TRY(const std::string text, inside->octets());
    return text_entity(text);
  }
  if (type == "3") {
    LONGLINE_TRY(const std::string text, teletex_text(*inside));
    return text_entity(text);
  }
  if (type == "6") return forwarded(*inside, depth);
  if (type == "8") {
    LONGLINE_TRY(const std::string octets, inside->octets());
    return attachment(octets, "", "");
  }
  if (type == "11") {
    LONGLINE_TRY(const std::string text, inside->octets());
    return text_entity(from_general(text));
  }
  if (type == "12") {
    LONGLINE_TRY(const std::string file, file_of(*inside));
    const BerElement* parameters = find(fields, context(0));
    return attachment(file, parameters != nullptr ? file_name(*parameters) : "", "");
  }
  return attachment(inside->whole, "", description);
}

Result<Entity> BodyParts::part(const BerElement& element, int depth) {
  if (++parts_ > kMostParts) return Error(Errc::malformed, fmt::format("an interpersonal message with more than {} body parts", kMostParts));
  if (element.tag.tag_class == TagClass::context) {
    switch (element.tag.number) {
      case kIa5: {
        LONGLINE_TRY(const std::string text, ia5_text(element));
        return text_entity(text);
      }
      case kTeletex: {
        LONGLINE_TRY(const auto fields, element.children());
        if (fields.empty()) return Error(Errc::malformed, "a teletex body part without its text");
        LONGLINE_TRY(const std::string text, teletex_text(fields.back()));
        return text_entity(text);
      }
      case kMessage: {
        LONGLINE_TRY(const auto fields, element.children());
        if (fields.empty()) return Error(Errc::malformed, "a forwarded message that is not there");
        return forwarded(fields.back(), depth);
      }
      case kBilateral: {
        LONGLINE_TRY(const std::string octets, element.octets());
        return attachment(octets, "", "");
      }
      case kExtended: return extended(element, depth);
      default: break;
    }
  }
  return attachment(element.whole, "", fmt::format("X.400 body part {} ({})", to_string(element.tag), kind_of(element.tag.number)));
}

Result<std::string> BodyParts::message(const std::vector<BerElement>& ipm, const std::string& extra, int depth) {
  if (ipm.size() < 2 || !ipm[0].is(tags::kSet)) return Error(Errc::malformed, "an interpersonal message is not a heading and a body");
  LONGLINE_TRY(const auto body, ipm[1].children());
  if (auto own = own_message(body)) return std::move(*own);
  LONGLINE_TRY(const IpmHeading heading, read_heading(ipm[0]));
  std::vector<Entity> parts;
  for (const BerElement& element : body) {
    LONGLINE_TRY(parts.emplace_back(), part(element, depth));
  }
  const Entity whole = join_entities(std::move(parts), boundary());
  return extra + heading_fields(heading, mapping_) + "MIME-Version: 1.0\r\n" + whole.fields + "\r\n" + whole.body;
}

}  // namespace longline::x400
