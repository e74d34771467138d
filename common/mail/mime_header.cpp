// SPDX-License-Identifier: MIT
#include "mail/mime_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestFoldedLine = 76;
constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kAddressSpecials = "<>,;:()";

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

/// Length of the quoted string at the start, with its quotes.
std::size_t quoted_length(std::string_view text) {
  std::size_t i = 1;
  while (i < text.size() && text[i] != '"') i += text[i] == '\\' && i + 1 < text.size() ? 2 : 1;
  return std::min(i + 1, text.size());
}

std::string without_quotes(std::string_view text) {
  if (!text.starts_with('"')) return std::string(text);
  text.remove_prefix(1);
  if (text.ends_with('"')) text.remove_suffix(1);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

/// The next word, run of blanks, or (structured) quoted string or special.
std::string_view next_token(std::string_view rest, bool structured) {
  if (kBlanks.find(rest[0]) != std::string_view::npos) return rest.substr(0, rest.find_first_not_of(kBlanks));
  if (!structured) return rest.substr(0, rest.find_first_of(kBlanks));
  if (rest[0] == '"') return rest.substr(0, quoted_length(rest));
  if (kAddressSpecials.find(rest[0]) != std::string_view::npos) return rest.substr(0, 1);
  return rest.substr(0, rest.find_first_of(" \t\"<>,;:()"));
}

/// Words with 8-bit bytes as encoded words; neighbours, with the blanks between them, together.
class WordEncoder {
 public:
  void take(std::string_view token, bool structured) {
    const bool blank = kBlanks.find(token[0]) != std::string_view::npos;
    if (blank) {
      blanks_ = token;
    } else if (has_high(token)) {
      if (pending_.empty()) out_ += blanks_;
      else pending_ += blanks_;
      if (pending_.empty() && structured && blanks_.empty() && !out_.empty() && out_.back() != '(') out_ += ' ';
      pending_ += structured ? without_quotes(token) : std::string(token);
      blanks_ = {};
    } else {
      const bool was_word = end_words();
      if (was_word && structured && blanks_.empty() && token != ")") out_ += ' ';
      out_ += blanks_;
      out_ += token;
      blanks_ = {};
    }
  }
  std::string finish() {
    end_words();
    out_ += blanks_;
    return std::move(out_);
  }

 private:
  bool end_words() {
    if (pending_.empty()) return false;
    out_ += encoded_words(pending_);
    pending_.clear();
    return true;
  }
  std::string out_, pending_;
  std::string_view blanks_;
};

std::string encode_text(std::string_view value) {
  WordEncoder encoder;
  while (!value.empty()) {
    const std::string_view token = next_token(value, false);
    encoder.take(token, false);
    value.remove_prefix(token.size());
  }
  return encoder.finish();
}

Result<std::string> encode_addresses(std::string_view value) {
  WordEncoder encoder;
  bool in_address = false;
  while (!value.empty()) {
    const std::string_view token = next_token(value, true);
    if (token == "<" || token == ">") in_address = token == "<";
    const bool address = in_address || token.find('@') != std::string_view::npos;
    if (address && !token.starts_with('"') && has_high(token)) return Error(Errc::refused, "an address in its header is not ASCII");
    encoder.take(token, true);
    value.remove_prefix(token.size());
  }
  return encoder.finish();
}

/// RFC 2231, 4: name*=charset''text
std::string extended_parameter(std::string_view name, std::string_view value) {
  std::string out = fmt::format("{}*={}''", name, charset_of(value));
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string without_high(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), is_high, '?');
  return out;
}

std::string encode_parameters(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    std::size_t end = 0;
    while (end < value.size() && value[end] != ';') end += value[end] == '"' ? quoted_length(value.substr(end)) : 1;
    const std::string_view part = trim(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    const std::size_t equals = part.find('=');
    const bool extended = equals != std::string_view::npos && equals > 0 && part[equals - 1] == '*';
    const std::string_view name = part.substr(0, equals);
    if (!out.empty()) out += "; ";
    if (!has_high(part)) out += part;
    else if (equals == std::string_view::npos || has_high(name) || extended) out += without_high(part);
    else out += extended_parameter(trim(name), without_quotes(trim(part.substr(equals + 1))));
  }
  return out;
}

/// Breaks a line at its blanks so that lines have at most 76 characters where that can be.
std::string fold(std::string_view line) {
  std::string out;
  std::size_t column = 0;
  while (!line.empty()) {
    std::size_t end = line.find_first_not_of(kBlanks);
    end = end == std::string_view::npos ? line.size() : std::min(line.find_first_of(kBlanks, end), line.size());
    const std::string_view piece = line.substr(0, end);   // blanks and the word behind them
    const bool can_break = kBlanks.find(piece[0]) != std::string_view::npos && !trim(piece).empty();
    if (can_break && column > 0 && column + piece.size() > kLongestFoldedLine) {
      out += "\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
    line.remove_prefix(end);
  }
  return out;
}

enum class Form { text, addresses, parameters };

Form form_of(std::string_view name) {
  constexpr std::array kAddresses = {"from", "sender", "reply-to", "to", "cc", "bcc", "return-path", "disposition-notification-to", "errors-to",
                                     "mail-followup-to", "mail-reply-to", "return-receipt-to", "delivered-to", "x-original-to"};
  std::string lower = to_lower(name);
  if (lower == "content-type" || lower == "content-disposition") return Form::parameters;
  if (lower.starts_with("resent-")) lower = lower.substr(7);
  return std::find(kAddresses.begin(), kAddresses.end(), lower) != kAddresses.end() ? Form::addresses : Form::text;
}

Result<std::string> encode_field(std::string_view field) {
  std::string line;
  for (const char c : field) {
    if (c != '\r' && c != '\n') line += c;
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = std::string_view(line).substr(0, colon);
  std::string_view value = std::string_view(line).substr(std::min(colon + 1, line.size()));
  std::string head = without_high(name) + (colon < line.size() ? ":" : "");
  const std::size_t blanks = std::min(value.find_first_not_of(kBlanks), value.size());
  head += value.substr(0, blanks);
  value.remove_prefix(blanks);
  switch (form_of(trim(name))) {
    case Form::parameters: return fold(head + encode_parameters(value)) + "\r\n";
    case Form::addresses: {
      LONGLINE_TRY(const std::string encoded, encode_addresses(value));
      return fold(head + encoded) + "\r\n";
    }
    case Form::text: break;
  }
  return fold(head + encode_text(value)) + "\r\n";
}

}  // namespace

std::string_view charset_of(std::string_view text) { return is_utf8(text) ? "utf-8" : "unknown-8bit"; }

Result<std::string> seven_bit_header(std::string_view header, bool drop_encoding) {
  std::string out;
  while (!header.empty()) {
    std::size_t end = 0;
    do {
      const std::size_t line = header.find("\r\n", end);
      end = line == std::string_view::npos ? header.size() : line + 2;
    } while (end < header.size() && kBlanks.find(header[end]) != std::string_view::npos);
    const std::string_view field = header.substr(0, end);
    header.remove_prefix(end);
    if (drop_encoding && iequals(trim(field.substr(0, field.find(':'))), "content-transfer-encoding")) continue;
    if (!has_high(field)) {
      out += field;
      continue;
    }
    LONGLINE_TRY(const std::string encoded, encode_field(field));
    out += encoded;
  }
  if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
  return out;
}

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

}  // namespace longline::mail
