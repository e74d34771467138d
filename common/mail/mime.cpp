// SPDX-License-Identifier: MIT
#include "mail/mime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "mail/message.hpp"

namespace longline::mail {
namespace {

constexpr int kDeepest = 32;
constexpr std::size_t kLongestEncodedLine = 76;

bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool has_high(std::string_view bytes) { return std::any_of(bytes.begin(), bytes.end(), is_high); }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Well-formed enough to be called UTF-8: lead bytes with the right number of continuation bytes.
bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
    if (length == 0 || bytes.size() - i < length) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if (!is_continuation(bytes[i + k])) return false;
    }
    i += length;
  }
  return true;
}

std::string_view charset_of(std::string_view text) { return is_utf8(text) ? "utf-8" : "unknown-8bit"; }

/// As many encoded words as it takes, each at most 75 characters, no character split.
std::string encoded_words(std::string_view text) {
  constexpr std::size_t kMostBytes = 42;
  const std::string_view charset = charset_of(text);
  std::string out;
  while (!text.empty()) {
    std::size_t take = std::min(kMostBytes, text.size());
    if (charset == "utf-8") {
      while (take > 1 && take < text.size() && is_continuation(text[take])) --take;
    }
    out += fmt::format("{}=?{}?B?{}?=", out.empty() ? "" : " ", charset, to_base64(text.substr(0, take)));
    text.remove_prefix(take);
  }
  return out;
}

struct Token {
  std::string_view raw;
  std::string text;  ///< without quotes
};

/// A word or a quoted string; blanks are tokens of their own.
Token next_token(std::string_view rest) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  Token token;
  std::size_t i = 0;
  if (blank(rest[0])) {
    while (i < rest.size() && blank(rest[i])) ++i;
  } else if (rest[0] == '"') {
    for (i = 1; i < rest.size() && rest[i] != '"'; ++i) {
      if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
      token.text += rest[i];
    }
    i = std::min(i + 1, rest.size());
    token.raw = rest.substr(0, i);
    return token;
  } else {
    while (i < rest.size() && !blank(rest[i])) ++i;
  }
  token.raw = rest.substr(0, i);
  token.text = token.raw;
  return token;
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
  const std::string_view value = std::string_view(*field).substr(at + 9);
  if (value.starts_with('"')) found.boundary = next_token(value).text;
  else found.boundary = std::string(trim(value.substr(0, value.find_first_of("; \t"))));
  return found;
}

/// Encodes 8-bit fields; drops Content-Transfer-Encoding if another one follows.
std::string seven_bit_header(std::string_view header, bool drop_encoding) {
  std::string out;
  bool dropping = false;
  while (!header.empty()) {
    const std::size_t end = header.find("\r\n");
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 2);
    const bool folded = line.empty() || line[0] == ' ' || line[0] == '\t';
    if (!folded) dropping = drop_encoding && to_lower(line.substr(0, line.find(':'))) == "content-transfer-encoding";
    if (dropping) continue;
    const std::size_t colon = folded ? std::string_view::npos : line.find(':');
    const std::size_t value = colon == std::string_view::npos || has_high(line.substr(0, colon)) ? 0 : colon + 1;
    out += line.substr(0, value);
    out += has_high(line) ? encode_words(line.substr(value)) : std::string(line.substr(value));
    out += "\r\n";
  }
  return out;
}

Error cannot(std::string_view why) {
  return Error(Errc::refused, fmt::format("the peer takes no 8-bit mail (no 8BITMIME), and {}", why));
}

Result<std::string> convert_entity(std::string_view entity, int depth);

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
    LONGLINE_TRY(const std::string converted, convert_entity(piece, depth + 1));
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

Result<std::string> convert_entity(std::string_view entity, int depth) {
  if (!has_high(entity)) return std::string(entity);
  if (depth > kDeepest) return cannot("its parts are nested too deeply");
  const std::string_view header = header_of(entity);
  const std::string_view body = body_of(entity);
  if (!has_high(body)) return seven_bit_header(header, false) + std::string(entity.substr(header.size()));

  const ContentType type = content_type_of(entity);
  const std::string encoding = to_lower(header_field(entity, "Content-Transfer-Encoding").value_or("8bit"));
  if (encoding == "quoted-printable" || encoding == "base64") return cannot("its encoded text has 8-bit bytes");
  std::string out = seven_bit_header(header, true);
  if (type.type.starts_with("multipart/")) {
    if (type.type == "multipart/signed" || type.type == "multipart/encrypted") return cannot("changing a signed message would break it");
    if (type.boundary.empty()) return cannot("its multipart has no boundary");
    LONGLINE_TRY(const std::string parts, convert_multipart(body, type.boundary, depth));
    return out + "\r\n" + parts;
  }
  if (type.type == "message/rfc822") {
    LONGLINE_TRY(const std::string inner, convert_entity(body, depth + 1));
    return out + "\r\n" + inner;
  }
  if (type.type.starts_with("message/")) return cannot("an enclosed message part cannot be encoded");

  const bool text = type.type.starts_with("text/");
  if (depth == 0 && !header_field(entity, "MIME-Version")) out += "MIME-Version: 1.0\r\n";
  if (!type.present) out += fmt::format("Content-Type: text/plain; charset={}\r\n", charset_of(body));
  out += fmt::format("Content-Transfer-Encoding: {}\r\n\r\n", text ? "quoted-printable" : "base64");
  if (text) return out + quoted_printable(body);
  std::string_view bytes = body;
  if (depth > 0 && bytes.ends_with("\r\n")) bytes.remove_suffix(2);  // belongs to the boundary line behind it
  return out + base64_lines(bytes);
}

}  // namespace

Result<std::string> to_seven_bit(std::string_view content) { return convert_entity(content, 0); }

std::string phrase(std::string_view name) {
  std::string clean;
  for (const char c : name) clean += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? ' ' : c;
  clean = trim(clean);
  if (has_high(clean)) return encoded_words(clean);
  const bool atoms = clean.find_first_of("()<>[]:;@\\,.\"") == std::string::npos;
  if (atoms || clean.empty()) return clean;
  std::string out = "\"";
  for (const char c : clean) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string encode_words(std::string_view field_body) {
  std::string out;
  std::string pending;  // 8-bit words and the blanks between them
  std::string blanks;
  while (!field_body.empty()) {
    const Token token = next_token(field_body);
    field_body.remove_prefix(token.raw.size());
    if (trim(token.raw).empty()) {
      blanks = token.raw;
    } else if (has_high(token.raw)) {
      if (pending.empty()) out += blanks;
      else pending += ' ';
      pending += token.text;
      blanks.clear();
    } else {
      if (!pending.empty()) out += encoded_words(pending);
      pending.clear();
      out += blanks;
      blanks.clear();
      out += token.raw;
    }
  }
  if (!pending.empty()) out += encoded_words(pending);
  return out + blanks;
}

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
