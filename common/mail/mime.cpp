// SPDX-License-Identifier: MIT
#include "mail/mime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "mail/message.hpp"
#include "mail/mime_header.hpp"

namespace longline::mail {
namespace {

constexpr int kDeepest = 32;
constexpr std::size_t kLongestEncodedLine = 76;

/// A quoted string without its quotes, or a token.
std::string parameter_value(std::string_view text) {
  if (!text.starts_with('"')) return std::string(trim(text.substr(0, text.find_first_of("; \t"))));
  std::string out;
  for (std::size_t i = 1; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

struct ContentType {
  std::string type = "text/plain";
  std::string boundary;
  bool present = false;
};

ContentType content_type_of(std::string_view entity) {
  ContentType found;
  const auto field = header_field(entity, "Content-Type");
  if (!field) return found;
  found.present = true;
  found.type = to_lower(trim(std::string_view(*field).substr(0, field->find(';'))));
  const std::string lower = to_lower(*field);
  const std::size_t at = lower.find("boundary=");
  if (at == std::string::npos) return found;
  found.boundary = parameter_value(std::string_view(*field).substr(at + 9));
  return found;
}

Error cannot(std::string_view why) {
  return Error(Errc::refused, fmt::format("the peer takes no 8-bit mail (no 8BITMIME), and {}", why));
}

Result<std::string> header_in_seven_bits(std::string_view header, bool drop_encoding) {
  Result<std::string> out = seven_bit_header(header, drop_encoding);
  if (!out) return cannot(out.error().what);
  return out;
}

/// `message`: a whole message, not a part of one.
Result<std::string> convert_entity(std::string_view entity, int depth, bool message);

Result<std::string> convert_multipart(std::string_view body, const std::string& boundary, int depth) {
  const std::string delimiter = "--" + boundary;
  std::string out;
  std::string_view rest = body;
  std::size_t part_from = std::string_view::npos;  // start of the part under way
  std::size_t line_from = 0;
  const auto flush = [&](std::size_t until) -> Result<void> {
    const std::string_view piece = part_from == std::string_view::npos ? rest.substr(0, until) : rest.substr(part_from, until - part_from);
    if (part_from == std::string_view::npos) {
      for (const char c : piece) out += is_high(c) ? '?' : c;  // preamble and epilogue are for nobody
      return {};
    }
    LONGLINE_TRY(const std::string converted, convert_entity(piece, depth + 1, false));
    out += converted;
    return {};
  };
  bool closed = false;
  while (line_from < rest.size() && !closed) {
    const std::size_t end = std::min(rest.find("\r\n", line_from), rest.size());
    const std::string_view line = rest.substr(line_from, end - line_from);
    const std::size_t next = std::min(end + 2, rest.size());
    if (line.starts_with(delimiter)) {
      const std::string_view tail = trim(line.substr(delimiter.size()));
      if (tail.empty() || tail == "--") {
        LONGLINE_CHECK(flush(line_from));
        out += rest.substr(line_from, next - line_from);
        part_from = next;
        closed = tail == "--";
      }
    }
    line_from = next;
  }
  if (closed) {
    for (const char c : rest.substr(part_from)) out += is_high(c) ? '?' : c;
  } else if (part_from != std::string_view::npos) {
    LONGLINE_CHECK(flush(rest.size()));
  } else {
    return cannot("its multipart has no parts");
  }
  return out;
}

Result<std::string> convert_entity(std::string_view entity, int depth, bool message) {
  if (!has_high(entity)) return std::string(entity);
  if (depth > kDeepest) return cannot("its parts are nested too deeply");
  const std::string_view header = header_of(entity);
  const std::string_view body = body_of(entity);
  if (!has_high(body)) {
    LONGLINE_TRY(const std::string fields, header_in_seven_bits(header, false));
    return fields + std::string(entity.substr(header.size()));
  }

  const ContentType type = content_type_of(entity);
  const std::string encoding = to_lower(header_field(entity, "Content-Transfer-Encoding").value_or("8bit"));
  if (encoding == "quoted-printable" || encoding == "base64") return cannot("its encoded text has 8-bit bytes");
  LONGLINE_TRY(std::string out, header_in_seven_bits(header, true));
  if (type.type.starts_with("multipart/")) {
    if (type.type == "multipart/signed" || type.type == "multipart/encrypted") return cannot("changing a signed message would break it");
    if (type.boundary.empty() || has_high(type.boundary)) return cannot("its multipart has no boundary");
    LONGLINE_TRY(const std::string parts, convert_multipart(body, type.boundary, depth));
    return out + "\r\n" + parts;
  }
  if (type.type == "message/rfc822") {
    LONGLINE_TRY(const std::string inner, convert_entity(body, depth + 1, true));
    return out + "\r\n" + inner;
  }
  if (type.type.starts_with("message/")) return cannot("an enclosed message part cannot be encoded");

  const bool text = type.type.starts_with("text/");
  if (message && !header_field(entity, "MIME-Version")) out += "MIME-Version: 1.0\r\n";
  if (!type.present) out += fmt::format("Content-Type: text/plain; charset={}\r\n", charset_of(body));
  out += fmt::format("Content-Transfer-Encoding: {}\r\n\r\n", text ? "quoted-printable" : "base64");
  if (text) return out + quoted_printable(body);
  std::string_view bytes = body;
  if (depth > 0 && bytes.ends_with("\r\n")) bytes.remove_suffix(2);  // belongs to the boundary line behind it
  return out + base64_lines(bytes);
}

}  // namespace

Result<std::string> to_seven_bit(std::string_view content) { return convert_entity(content, 0, true); }

std::string quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\r\n") {
      out += "\r\n";
      column = 0;
      ++i;
      continue;
    }
    const char c = text[i];
    const bool blank_at_end = (c == ' ' || c == '\t') && (i + 1 == text.size() || text.substr(i + 1, 2) == "\r\n");
    const bool literal = ((c > ' ' && c < 0x7F && c != '=') || c == ' ' || c == '\t') && !blank_at_end;
    const std::size_t width = literal ? 1 : 3;
    if (column + width > kLongestEncodedLine - 1) {
      out += "=\r\n";
      column = 0;
    }
    if (literal) out += c;
    else out += fmt::format("={:02X}", static_cast<unsigned char>(c));
    column += width;
  }
  return out;
}

std::string base64_lines(std::string_view bytes) {
  constexpr std::size_t kBytesALine = 57;
  std::string out;
  while (!bytes.empty()) {
    const std::size_t take = std::min(kBytesALine, bytes.size());
    out += to_base64(bytes.substr(0, take)) + "\r\n";
    bytes.remove_prefix(take);
  }
  return out;
}

}  // namespace longline::mail
